from dataclasses import fields, replace

import pytest
import torch

from hybrid_depth.geometry import VoxelGrid
from hybrid_depth.ops import PoolingPlan, bev_pool
from tests.golden.bevdet import (
    OFFICIAL_GRID,
    feature,
    lifted,
    near_border,
    official_frustum,
    official_rig,
)
from tests.golden.reader import Golden

POOLING = Golden('bevdet_pooling')
BACKENDS = ('sparse', 'index_add')  # Triton: test_triton_pool.py
# Sums in another order of some hundred terms per cell. The note has 1.5e-6 for the largest error.
LIMIT = 2e-6


TWO_LAYERS = replace(OFFICIAL_GRID, z=(-5.0, 3.0, 4.0))


def real_plan(view: str, grid: VoxelGrid = OFFICIAL_GRID) -> PoolingPlan:
    return PoolingPlan.from_points(lifted(view), grid)


def real_inputs() -> tuple[torch.Tensor, torch.Tensor]:
    depth = feature('pool_depth', (1, 6, 59, 16, 44)).softmax(2)
    return depth.requires_grad_(), feature('pool_feat', (1, 6, 64, 16, 44)).requires_grad_()


@pytest.mark.parametrize('backend', BACKENDS)
def test_official_unit_test(backend):
    # Points (depth 0, 4, 1, 6) of features (0, 0, 1, 2) fall into voxels (0, 0, 1, 1)
    # (docs/reference/bevdet.md, "Voxel pooling").
    depth = torch.tensor([0.3, 0.4, 0.2, 0.1, 0.7, 0.6, 0.8, 0.9]).view(1, 1, 2, 2, 2)
    depth.requires_grad_()
    feat = torch.ones(1, 1, 2, 2, 2, requires_grad=True)
    ranks = torch.full((8,), -1)
    ranks[torch.tensor([0, 4, 1, 6])] = torch.tensor([0, 0, 1, 1])
    plan = PoolingPlan(ranks.view(1, 1, 2, 2, 2), VoxelGrid((0, 2, 1), (0, 2, 1), (0, 1, 1)))
    out = bev_pool(depth, feat, plan, backend)
    out.sum().backward()
    POOLING.check('unit.out', out[:, :, None], 1e-6)
    POOLING.check('unit.grad_depth', depth.grad, 1e-6)
    POOLING.check('unit.grad_feat', feat.grad.permute(0, 1, 3, 4, 2), 1e-6)
    torch.testing.assert_close(out.sum(), torch.tensor(4.4))
    torch.testing.assert_close(depth.grad.flatten(), torch.tensor([2.0, 2, 0, 0, 2, 0, 2, 0]))
    expected = torch.tensor([1.0, 1, 0.4, 0.4, 0.8, 0.8, 0, 0]).view(4, 2).t()
    torch.testing.assert_close(feat.grad.reshape(2, 4), expected)


@pytest.mark.parametrize('view', ['test', 'aug'])
@pytest.mark.parametrize('backend', BACKENDS)
def test_golden_forward_and_backward(backend, view):
    depth, feat = real_inputs()
    out = bev_pool(depth, feat, real_plan(view), backend)
    out.backward(feature('pool_grad', (1, 64, 128, 128)))
    points, cells = near_border(OFFICIAL_GRID, lifted(view))
    POOLING.check(f'{view}.bev', out, LIMIT, free=cells.expand(out.shape))
    POOLING.check(f'{view}.bev_channel_sums', out.sum((0, 2, 3)), 1e-5)
    POOLING.check(f'{view}.grad_depth', depth.grad, LIMIT, free=points)
    pixels = points.any(2, keepdim=True).expand(feat.shape)
    POOLING.check(f'{view}.grad_feat', feat.grad, LIMIT, free=pixels)


def test_backends_agree_on_the_real_geometry():
    results = []
    for backend in BACKENDS:
        depth, feat = real_inputs()
        out = bev_pool(depth, feat, real_plan('aug'), backend)
        out.backward(feature('pool_grad', (1, 64, 128, 128)))
        results.append((out.detach(), depth.grad, feat.grad))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('backend', BACKENDS)
def test_two_height_layers_fold_z_before_channels(backend):
    depth, feat = real_inputs()
    volume = bev_pool(depth, feat, real_plan('aug', TWO_LAYERS), backend).unflatten(1, (2, 64))
    free = near_border(TWO_LAYERS, lifted('aug'))[1][:, None].expand(volume.shape)
    POOLING.check('two_layers.bev', volume.flatten(1, 2), LIMIT, free=free.flatten(1, 2))
    POOLING.check('two_layers.volume', volume.transpose(1, 2), LIMIT, free=free.transpose(1, 2))


def test_softmax_inside_equals_the_softmax_before():
    logits, feat = feature('pool_depth', (1, 6, 59, 16, 44)), real_inputs()[1]
    plan = real_plan('test')
    for backend in BACKENDS:
        inside = bev_pool(logits, feat, plan, backend, softmax=True)
        assert torch.equal(inside, bev_pool(logits.softmax(2), feat, plan, backend))


def test_auto_is_the_sparse_product_on_a_cpu():
    plan, (depth, feat) = real_plan('test'), real_inputs()
    assert torch.equal(bev_pool(depth, feat, plan), bev_pool(depth, feat, plan, 'sparse'))


def test_plan_of_a_frustum_equals_that_of_its_points():
    """The same arrays, from int32 ranks in another memory order."""
    frustum, rig = official_frustum(), official_rig('aug')
    plan, points = PoolingPlan.from_frustum(frustum, rig, OFFICIAL_GRID), real_plan('aug')
    assert plan.ranks.dtype == torch.int32
    one, other = plan.sparse_pattern(), points.sparse_pattern()
    for field in fields(one):
        assert torch.equal(getattr(one, field.name), getattr(other, field.name))


def test_batch_items_do_not_mix():
    plan, (depth, feat) = real_plan('test'), real_inputs()
    pair = PoolingPlan(torch.cat((plan.ranks, plan.ranks + plan.num_voxels)), plan.grid)
    pair.ranks[1][plan.ranks[0] < 0] = -1
    out = bev_pool(torch.cat((depth, depth * 2)), torch.cat((feat, feat)), pair)
    torch.testing.assert_close(out[1], 2 * out[0])


def test_half_precision_inputs_are_pooled_in_float32():
    depth, feat = real_inputs()
    with torch.autocast('cpu', torch.bfloat16):
        out = bev_pool(depth.bfloat16(), feat.bfloat16(), real_plan('test'))
    assert out.dtype == torch.float32


def test_wrong_shapes_are_rejected():
    plan, (depth, feat) = real_plan('test'), real_inputs()
    with pytest.raises(ValueError, match="expected depth of the plan's shape"):
        bev_pool(depth[:, :5], feat[:, :5], plan)
    with pytest.raises(ValueError, match='expected feat'):
        bev_pool(depth, feat[..., :40], plan)
    with pytest.raises(ValueError, match='backend'):
        bev_pool(depth, feat, plan, 'cuda_v2')
