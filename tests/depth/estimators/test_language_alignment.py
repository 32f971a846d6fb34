import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement

from hybrid_depth.foundation import TextTower
from tests.depth.encoders.tiny import TINY_DINO, TINY_HYBRID

SIZE = (64, 96)
ENCODER = dict(TINY_HYBRID, text=dict(), trainable=('clip.visual', 'align'))
STAGE1 = dict(type='LanguageAlignment', encoder=ENCODER)


def build(**changes):
    torch.manual_seed(0)
    return MODELS.build({**STAGE1, **changes})


def line(x):
    """Seven points from the lower border up."""
    rows = torch.linspace(SIZE[0] - 1, 20, 7)
    return torch.stack([torch.full((7,), float(x)), rows], dim=-1)


def batch(*columns):
    """Random images, with a line at each of their columns."""
    torch.manual_seed(1)
    lines = [[line(x) for x in sample_lines] for sample_lines in columns]
    empty = torch.zeros(0, 7, 2)
    samples = [
        BaseDataElement(patches=torch.stack(sample_lines) if sample_lines else empty)
        for sample_lines in lines
    ]
    return dict(images={0: torch.rand(len(columns), 3, *SIZE)}), samples


def test_only_visual_clip_and_alignment_are_trained():
    model = build()
    inputs, samples = batch([10, 40], [70])
    loss, log = model.parse_losses(model(inputs, samples, mode='loss'))
    assert set(log) == {'loss', 'loss_ranking', 'loss_contrast'}
    loss.backward()
    learning = {name for name, p in model.named_parameters() if p.grad is not None}
    assert {name.split('.')[1] for name in learning} == {'clip', 'align'}
    assert learning == {n for n, p in model.named_parameters() if p.requires_grad}


def test_cells_under_the_points():
    """A feature vector is that of the point's cell at every level, then resampled."""
    model = build().eval()
    inputs, samples = batch([10, 40], [70])
    maps = model.encoder.fuse(inputs['images'][0]).maps
    x, y = samples[1].patches[0, 2]
    joined = [m[1, :, int(y * m.shape[2] / SIZE[0]), int(x * m.shape[3] / SIZE[1])] for m in maps]
    joined = torch.cat(joined)
    picked = joined[torch.arange(64) * len(joined) // 64]
    features = model.patch_features(inputs, samples)
    assert features.shape == (3, 7, 64)
    assert torch.allclose(features[2, 2], picked / picked.norm(), atol=1e-6)
    logits = model(inputs, samples)
    cosine = features[2, 2] @ model.encoder.language.matrix[4]
    assert logits[2, 2, 4].item() == pytest.approx(100 / 7**0.5 * cosine.item(), rel=1e-4)


def test_clip_only_has_cells_per_stride():
    model = build(encoder=dict(ENCODER, dino=None)).eval()
    inputs, samples = batch([10], [70])
    assert model.patch_features(inputs, samples).shape == (2, 7, 64)


def test_points_outside_belong_to_border_cells():
    model = build().eval()
    inputs, (sample,) = batch([10])
    outside = sample.patches.clone()
    outside[..., 0] = -5
    sample.patches[..., 0] = 0
    inside = model.patch_features(inputs, [sample])
    assert torch.equal(model.patch_features(inputs, [BaseDataElement(patches=outside)]), inside)


def test_divisors():
    """Ranking is divided by images, contrast by lines.

    Source: docs/reference/hybrid_depth.md, "Stage 1 losses".
    """
    model = build().eval()
    inputs, samples = batch([10, 40], [70])
    whole = model.loss(inputs, samples)
    images = inputs['images'][0]
    parts = [model.loss(dict(images={0: images[i : i + 1]}), samples[i : i + 1]) for i in (0, 1)]
    ranking, contrast = ([p[f'loss_{term}'] for p in parts] for term in ('ranking', 'contrast'))
    assert torch.isclose(whole['loss_ranking'], sum(ranking) / 2)
    assert torch.isclose(whole['loss_contrast'], (2 * contrast[0] + contrast[1]) / 3, rtol=1e-4)


def test_batch_without_any_line():
    """Every parameter still gets a gradient, which distributed training needs."""
    model = build()
    inputs, samples = batch([], [])
    loss = model.parse_losses(model(inputs, samples, mode='loss'))[0]
    loss.backward()
    assert loss == 0
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_training_orders_the_patches():
    model = build()
    inputs, samples = batch([10, 40], [70])
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    history = []
    for _ in range(15):
        loss, log = model.parse_losses(model(inputs, samples, mode='loss'))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(log['loss_ranking'].item())
    assert history[-1] < 0.5 * history[0]


def test_frozen_text_tower_does_not_run_in_training(monkeypatch):
    model = build()
    monkeypatch.setattr(TextTower, 'forward', None)
    inputs, samples = batch([10], [70])
    assert model.loss(inputs, samples)['loss_ranking'] > 0


def test_predictions_are_assigned_to_their_images():
    model = build()
    inputs, samples = batch([10, 40], [], [70])
    images = inputs['images'][0]
    items = [
        dict(inputs=dict(images={0: image}), data_samples=sample)
        for image, sample in zip(images, samples, strict=True)
    ]
    found = model.eval().test_step(default_collate(items))
    assert [s.patch_logits.shape for s in found] == [(2, 7, 7), (0, 7, 7), (1, 7, 7)]
    assert torch.equal(found[2].patch_logits, model(inputs, samples)[2:])


def test_mixed_precision_compares_in_float32():
    model = build()
    inputs, samples = batch([10, 40], [70])
    full = model.loss(inputs, samples)
    with torch.autocast('cpu', torch.bfloat16):
        losses = model.loss(inputs, samples)
    assert all(value.dtype == torch.float32 for value in losses.values())
    assert torch.isclose(losses['loss_ranking'], full['loss_ranking'], rtol=0.1)


def test_channels_last_does_not_change_results():
    plain, other = build().eval(), build(channels_last=True).eval()
    assert other.encoder.clip.visual.conv1.weight.is_contiguous(memory_format=torch.channels_last)
    given = batch([10, 40], [70])
    assert torch.allclose(plain(*given), other(*given), atol=1e-4)


def test_wrong_patches_are_named():
    model = build()
    inputs, samples = batch([10], [70])
    samples[0].patches = samples[0].patches[:, :5]
    with pytest.raises(ValueError, match=r'expected patches \(lines, 7, 2\).*\(1, 5, 2\)'):
        model.loss(inputs, samples)
    with pytest.raises(ValueError, match='GroundPatches'):
        model.loss(inputs, [BaseDataElement(), BaseDataElement()])
    with pytest.raises(ValueError, match='mode'):
        model(inputs, samples, mode='train')


@pytest.mark.parametrize(
    'encoder',
    [
        dict(ENCODER, text=None, trainable='all'),
        dict(ENCODER, clip=None, text=None, dino=TINY_DINO, trainable='all'),
        dict(type='TimmDepthEncoder', name='test_resnet'),
    ],
)
def test_an_encoder_without_prompts(encoder):
    with pytest.raises(ValueError, match='with depth prompts'):
        build(encoder=encoder)
