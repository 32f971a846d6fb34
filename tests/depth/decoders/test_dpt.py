import pytest
import torch
from mmengine.registry import MODELS

from hybrid_depth.depth.encoders import DepthFeatures
from hybrid_depth.releases.dpt_keys import convert_decoder_keys

SMALL = dict(type='DPTDecoder', channels=8, level_channels=(8, 16, 16, 16))


def features(size=(5, 13), channels=12, tokens=None):
    maps = [torch.randn(2, channels, *size) for _ in range(4)]
    logits = None if tokens is None else [torch.randn(2, tokens, *size) for _ in range(4)]
    return DepthFeatures(maps, logits)


@pytest.mark.parametrize('size', [(64, 176), (63, 180)])
@pytest.mark.parametrize('grid', [(5, 13), (4, 12), (1, 1)])
def test_disparity_has_the_image_size_for_any_grid(grid, size):
    decoder = MODELS.build(dict(SMALL, in_channels=12))
    outputs = decoder(features(grid), size)
    assert list(outputs) == list(decoder.scales) == [0]
    assert outputs[0].shape == (2, 1, *size) and outputs[0].min() >= 0


def test_text_logits_come_first():
    decoder = MODELS.build(dict(SMALL, in_channels=16))
    given = features(tokens=4)
    with torch.no_grad():
        joined = DepthFeatures(
            [torch.cat(p, 1) for p in zip(given.text_logits, given.maps, strict=True)]
        )
        assert torch.equal(decoder(given, (64, 176))[0], decoder(joined, (64, 176))[0])


def test_every_parameter_gets_a_gradient():
    decoder = MODELS.build(dict(SMALL, in_channels=12))
    torch.nn.init.constant_(decoder.head[-1].bias, 5.0)
    decoder(features(), (64, 176))[0].square().sum().backward()
    assert all(p.grad is not None for p in decoder.parameters())


@pytest.mark.parametrize('given', [features(channels=11), features(tokens=4)])
def test_wrong_channels_are_named(given):
    decoder = MODELS.build(dict(SMALL, in_channels=12))
    with pytest.raises(ValueError, match=r'\[12, 12, 12, 12\]'):
        decoder(given, (64, 176))


def test_a_pyramid_is_rejected():
    decoder = MODELS.build(dict(SMALL, in_channels=12))
    given = features()
    given.maps[3] = given.maps[3][..., :2]
    with pytest.raises(ValueError, match='one size'):
        decoder(given, (64, 176))


def test_three_levels_are_rejected():
    with pytest.raises(ValueError, match='4 levels'):
        MODELS.build(dict(SMALL, in_channels=[1, 2, 3]))


def test_unexpected_official_key():
    with pytest.raises(KeyError, match='dinov2.cls_token'):
        convert_decoder_keys({'dinov2.cls_token': torch.zeros(1)})


def test_the_last_relu_is_active_initially():
    """With PyTorch's random bias it is zero everywhere for every second seed: no gradient."""
    for seed in range(8):
        torch.manual_seed(seed)
        decoder = MODELS.build(dict(SMALL, in_channels=12))
        with torch.no_grad():
            assert decoder(features(), (64, 176))[0].min() > 0


def test_disparity_begins_near_its_start():
    """The last weights are a tenth of PyTorch's, so that their noise stays below the start."""
    for seed in range(4):
        torch.manual_seed(seed)
        decoder = MODELS.build(dict(SMALL, in_channels=12, start=0.1))
        plain = MODELS.build(dict(SMALL, in_channels=12, start=None))
        bound = 1 / 32**0.5  # of PyTorch's uniform initial values, 32 inputs
        assert decoder.head[-1].weight.abs().max() <= bound / 10 < plain.head[-1].weight.abs().max()
        assert decoder.head[-1].bias.item() == pytest.approx(0.1)
