import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmengine.registry import MODELS

from hybrid_depth.foundation import TextTower
from tests.depth.encoders.tiny import TINY_CLIP, TINY_DINO, TINY_HYBRID


def build(**changes):
    torch.manual_seed(0)
    return MODELS.build({**TINY_HYBRID, **changes})


@pytest.fixture
def images():
    return torch.rand(2, 3, 64, 176, generator=torch.Generator().manual_seed(0))


def test_contract(images):
    encoder = build()
    features = encoder(images)
    assert [tuple(m.shape) for m in features.maps] == [(2, 96, 5, 13)] * 4
    assert [tuple(t.shape) for t in features.text_logits] == [(2, 8, 5, 13)] * 4
    assert features.class_token.shape == (2, 64)
    assert encoder.out_channels == [96] * 4 and encoder.out_strides == [14] * 4
    assert encoder.text_channels == 8


def test_order_is_logits_then_dino_then_clip(images):
    encoder = build().eval()
    features = encoder(images)
    for joined, logits, fused, dino in zip(
        features.joined(), features.text_logits, features.maps, encoder.dino(images)[0], strict=True
    ):
        assert torch.equal(joined, torch.cat([logits, fused], dim=1))
        assert torch.equal(fused[:, :64], dino)


def test_class_token_is_that_of_the_last_tap(images):
    encoder = build().eval()
    tokens = encoder.dino(images)[1]
    assert torch.equal(encoder(images).class_token, tokens[-1])
    assert torch.equal(encoder.class_token(images), tokens[-1])
    assert not torch.allclose(tokens[0], tokens[-1])


def test_clip_maps_use_the_legacy_nearest_rule(images):
    encoder = build(align_channels=64).eval()
    assert isinstance(encoder.align[0], torch.nn.Identity)
    level0 = encoder.clip(images)['layer1']
    rows, columns = torch.arange(5) * 16 // 5, torch.arange(13) * 44 // 13
    assert torch.equal(encoder(images).maps[0][:, 64:], level0[:, :, rows][..., columns])


def test_nearest_rule_of_the_release():
    def source(old, new):
        row = torch.arange(float(old)).view(1, 1, old, 1)
        return F.interpolate(row, size=(new, 1), mode='nearest').flatten().int().tolist()

    assert source(7, 16) == [0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 6]
    assert source(28, 16) == [0, 1, 3, 5, 7, 8, 10, 12, 14, 15, 17, 19, 21, 22, 24, 26]


def test_dino_only(images):
    encoder = build(clip=None, text=None)
    features = encoder(images)
    assert features.text_logits is None and features.joined() is features.maps
    assert encoder.out_channels == [64] * 4 and features.maps[0].shape == (2, 64, 5, 13)


def test_clip_only(images):
    encoder = build(dino=None)
    features = encoder(images)
    assert encoder.out_strides == [4, 8, 16, 32] and features.class_token is None
    assert [tuple(m.shape[1:]) for m in features.maps] == [
        (32, 16, 44),
        (32, 8, 22),
        (32, 4, 11),
        (32, 2, 5),
    ]


def test_clip_only_on_the_grid_of_dino(images):
    """As the fused maps without their DINO part, so that one decoder takes both."""
    torch.manual_seed(0)
    encoder = build(dino=None, clip_stride=14).eval()
    fused = build().eval()
    fused.clip.load_state_dict(encoder.clip.state_dict())
    fused.align.load_state_dict(encoder.align.state_dict())
    assert encoder.out_strides == [14] * 4
    for alone, both in zip(encoder(images).maps, fused(images).maps, strict=True):
        assert torch.equal(alone, both[:, 64:])


@pytest.mark.parametrize(
    'changes',
    [
        dict(clip=None),
        dict(clip=None, dino=None, text=None),
        dict(dino={**TINY_DINO, 'taps': 2}),
        dict(clip_stride=14),
    ],
)
def test_invalid_combinations(changes):
    with pytest.raises(ValueError):
        build(**changes)


def test_mixed_precision(images):
    encoder = build()
    with torch.autocast('cpu', torch.bfloat16):
        features = encoder(images)
    sum(m.float().square().mean() for m in features.joined()).backward()
    exact = encoder(images)
    difference = (features.text_logits[0].float() - exact.text_logits[0]).abs().max()
    assert features.text_logits[0].dtype == torch.bfloat16 and difference < 1


def test_every_parameter_gets_a_gradient(images):
    encoder = build()
    sum(m.square().mean() for m in encoder(images).joined()).backward()
    unused = {name for name, p in encoder.named_parameters() if p.grad is None}
    assert unused == set()


def test_frozen_parts_do_not_change(images):
    encoder = build(trainable=('align', 'dino.vit.blocks.3', 'language.prompts')).train()
    before = copy.deepcopy(encoder.state_dict())
    optimiser = torch.optim.SGD(encoder.parameters(), lr=1.0)
    sum(m.square().mean() for m in encoder(images).joined()).backward()
    optimiser.step()
    changed = {
        '.'.join(name.split('.')[:2])
        for name, value in encoder.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == {'align.0', 'align.1', 'align.2', 'align.3', 'dino.vit', 'language.prompts'}
    assert not encoder.clip.training and encoder.dino.vit.blocks[3].training


def test_frozen_encoder_needs_no_text_tower_in_training(images, monkeypatch):
    encoder = build(trainable='none')
    monkeypatch.setattr(TextTower, 'forward', None)
    features = encoder(images)
    assert features.text_logits[0].abs().max() > 0
    assert not features.maps[0].requires_grad


def test_dropping_the_text_tower(images):
    encoder = build().eval()
    expected = encoder(images).text_logits
    encoder.drop_text_tower()
    fresh = build()
    fresh.load_state_dict(encoder.state_dict())
    assert not any('language.tower' in name for name in fresh.state_dict())
    for got, want in zip(fresh.eval()(images).text_logits, expected, strict=True):
        assert torch.allclose(got, want, atol=1e-5)


def test_mmengine_init_does_not_overwrite_loaded_weights():
    class Model(BaseModule):
        def __init__(self, encoder):
            super().__init__()
            self.encoder = encoder

    encoder = build(clip=TINY_CLIP)
    before = copy.deepcopy(encoder.state_dict())
    Model(encoder).init_weights()
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
