"""The official ManyDepth (docs/reference/golden.md, "ManyDepth")."""

import numpy as np
import pytest
import torch
from torch import Tensor

from hybrid_depth.depth.encoders.cost_volume_fusion import CostVolumeFusion
from hybrid_depth.geometry.rigid import invert_rigid
from hybrid_depth.losses import depths_agree, reprojection_minimum
from tests.depth.estimators.manydepth_model import build
from tests.golden.manydepth import cam2img, frames, image, lookup_poses, meta
from tests.golden.reader import Golden

ENCODER, INFERENCE = Golden('manydepth_encoder'), Golden('manydepth_inference')
RULES = Golden('manydepth_rules')
SIZE = tuple(meta(ENCODER)['size'])
LIMIT = 1e-4
CELLS = 1e-2  # share of cells whose best bin is another, near ties
# A camera that stands sees no depth: bins far away cost the same, and 3 % of the cells take
# another. So they do in the official code with other kernels, by up to 4e-3 of the largest value.
NEAR_TIES = 5e-3

CASES = dict(
    one=((-1,), 'linear', 96, (0.5, 10.0)),
    two=((-1, -2), 'linear', 96, (0.4, 8.0)),
    inverse=((-1,), 'inverse', 96, (0.5, 30.0)),
    bins32=((-1, 1), 'linear', 32, (0.2, 12.0)),
)


def check_cells(golden: Golden, key: str, value: Tensor, limit: float = LIMIT) -> None:
    """Assert that at most 1 % of the stored cells are off by more than `limit` of the largest."""
    stored, layout = golden.stored(key), golden.layout(key)
    assert tuple(value.shape) == layout.shape
    value = value.detach().double().numpy()
    largest = stored.max() if layout.stats is None else layout.stats[2]
    assert (np.abs(layout.take(value) - stored) > limit * largest).mean() <= CELLS
    if layout.stats is not None:
        found = np.array([value.mean(), value.std(), value.max()])
        assert (
            np.abs(found - layout.stats) <= [CELLS * largest, CELLS * largest, 1e-6 * largest]
        ).all()


def build_case(name):
    lookups, spacing, bins, depth_range = CASES[name]
    options = dict(spacing=spacing, num_bins=bins)
    return build(depth_range, lookups=lookups, cost_volume=options)


def run(model, poses=None):
    """Features, costs and decoder output of the encoder's target frame."""
    images = frames(SIZE, (0, *model.lookups))
    lookups = torch.stack([images[i] for i in model.lookups], 1)
    if poses is None:
        poses = lookup_poses(SIZE[0])[:, : len(model.lookups)]
    features, volume = model._encode_matched(images[0], lookups, cam2img(SIZE), poses)
    return features, volume, model.decoder(features, SIZE[1:])


def test_poses():
    ENCODER.check('poses', lookup_poses(SIZE[0]), 1e-6)


@pytest.mark.parametrize(
    'name',
    ['one', 'bins32', *(pytest.param(name, marks=pytest.mark.slow) for name in ('two', 'inverse'))],
)
@torch.no_grad()
def test_encoder(name):
    model = build_case(name).eval()
    features, volume, outputs = run(model)
    ENCODER.check(f'{name}.depth_bins', volume.planes, 1e-6)
    for level in range(0 if name == 'one' else 2, 5):
        ENCODER.check(f'{name}.feat{level}', features.maps[level], LIMIT)
    check_cells(ENCODER, f'{name}.lowest_cost', 1 / volume.best_depth())
    ENCODER.check_share(f'{name}.confidence', volume.confidence, CELLS)
    ENCODER.check(f'{name}.volume', volume.costs, LIMIT)
    ENCODER.check(f'{name}.volume_mean', volume.costs.mean((2, 3)), LIMIT)
    best = (volume.costs.masked_fill(volume.costs == 0, 100)).argmin(1)
    ENCODER.check_share(f'{name}.argmin', best, CELLS)
    cells = volume.costs[0, 0].numel()
    found = volume.missing.sum((2, 3))
    ENCODER.check(f'{name}.missing_count', found, CELLS, scale=cells)
    for scale, output in outputs.items():
        ENCODER.check(f'{name}.disp{scale}', output, LIMIT)


@torch.no_grad()
def test_frames_without_pose():
    model = build_case('one').eval()
    _, volume, outputs = run(model, torch.zeros(SIZE[0], 1, 4, 4))
    lowest = 1 / volume.best_depth()
    ENCODER.check('zero.lowest_cost.range', torch.stack(lowest.aminmax()), 1e-6)
    ENCODER.check('zero.confidence.sum', volume.confidence.sum(), 0)
    ENCODER.check('zero.disp0', outputs[0], LIMIT)
    model.lookups = (-1, -2)
    poses = lookup_poses(SIZE[0])
    poses[:, 1] = 0
    _, volume, outputs = run(model, poses)
    check_cells(ENCODER, 'half.lowest_cost', 1 / volume.best_depth())
    ENCODER.check('half.disp0', outputs[0], LIMIT)


@torch.no_grad()
def test_training_mode():
    model = build_case('one')
    _, volume, outputs = run(model)
    ENCODER.check('train.disp0', outputs[0], LIMIT)
    check_cells(ENCODER, 'train.lowest_cost', 1 / volume.best_depth())
    ENCODER.check('train.layer0.running_mean', model.encoder.encoder.bn1.running_mean, LIMIT)


@torch.no_grad()
def test_inference():
    model = build((0.12, 9.0)).eval()
    images = frames(SIZE, (0, -1))
    cases = dict(
        multi=images,
        static={0: images[0], -1: images[0]},
        mono={0: images[0], -1: torch.zeros_like(images[0])},
    )
    for name, shown in cases.items():
        poses = model._poses(shown, {}, model.lookups)
        INFERENCE.check(f'{name}.pose', poses[:, 0], LIMIT)
        lookups = torch.stack([shown[-1]], 1)
        outputs, volume = model._decode_matched(images[0], lookups, cam2img(SIZE), poses)
        limit = NEAR_TIES if name == 'static' else LIMIT
        check_cells(INFERENCE, f'{name}.lowest_cost', 1 / volume.best_depth(), limit)
        INFERENCE.check(f'{name}.confidence_mean', volume.confidence.float().mean(), CELLS, 1)
        INFERENCE.check(f'{name}.disp0', outputs[0], LIMIT)
        prediction = model.predict(shown, cam2img(SIZE))
        INFERENCE.check(f'{name}.scaled_disp', prediction.values, LIMIT)
    moved = invert_rigid(model.relative_pose(images[-1], images[0]))
    INFERENCE.check('multi.pose', moved, LIMIT)
    INFERENCE.check('teacher.disp0', model.teacher.decode(images[0])[0], LIMIT)


def test_adaptive_bins():
    fusion, trackers = CostVolumeFusion(4), []
    for i in range(4):
        depth = 0.3 + 40 * image(f'mono_depth{i}', (3, 32, 64))[:2]
        fusion.track(depth.unsqueeze(1) * (0.02 if i == 2 else 1), min_depth=0.1)
        trackers.append(fusion.depth_range.clone())
    RULES.check('adaptive_bins', torch.stack(trackers), 1e-6)


def test_masks():
    lowest = 0.02 + image('lowest', (3, 32, 64))[:2]
    teacher = 0.5 + 20 * image('mono', (3, 32, 64))[:2]
    RULES.check_share('matching_mask', depths_agree(1 / lowest, teacher), 1e-6)
    warped, unwarped = (image(name, (3, 16, 40))[:2, None, None] for name in ('rep', 'ident'))
    # each item its own source: the smallest error of one source is that error
    kept = [reprojection_minimum(warped[[i]], unwarped[[i]], keep_ties=True)[1] for i in range(2)]
    RULES.check_share('loss_mask', torch.stack(kept), 1e-6)
    alone = reprojection_minimum(warped[:1], keep_ties=True)[1]
    RULES.check('loss_mask.none', alone.float().mean(), 0)
    assert set(meta(RULES)) and set(meta(INFERENCE))
