"""Depth supervision by a self-supervised model's depth maps."""

import pytest
import torch

from hybrid_depth.geometry import DepthBins
from hybrid_depth.pseudo_depth.target import (
    PhysicsDepthTarget,
    PseudoDepthTarget,
    block_median_depth,
)


def test_cells_have_the_median_of_valid_pixels():
    depth = torch.zeros(1, 4, 8)
    depth[0, :2, :2] = torch.tensor([[10.0, 11.0], [12.0, 50.0]])
    depth[0, 0, 4] = 7.0  # one of four
    cells = block_median_depth(depth, (2, 4))
    assert cells.tolist() == [[[11.0, 0, 0, 0], [0, 0, 0, 0]]]


def test_target_without_lidar_cells():
    bins, inputs = DepthBins(1.0, 9.0, num=8), {}
    inputs['pseudo_depth'] = torch.full((1, 1, 4, 8), 4.5)
    inputs['gt_depth'] = torch.zeros(1, 1, 4, 8)
    inputs['gt_depth'][..., :4] = 2.0
    logits = torch.zeros(1, 8, 2, 4)
    logits[:, 3] = 20.0  # predicts 4 to 5 m everywhere
    logits[:, :, :, :2] = logits.flip(1)[:, :, :, :2]  # and another depth in cells with LiDAR
    everywhere = PseudoDepthTarget(sigma=0.3).loss(logits, inputs, bins)
    beside = PseudoDepthTarget(sigma=0.3, where='without_lidar').loss(logits, inputs, bins)
    assert beside < 0.2 < everywhere
    flat = torch.zeros_like(logits)  # equal loss in all cells
    costs = [
        PseudoDepthTarget(where=where).loss(flat, inputs, bins)
        for where in ('everywhere', 'without_lidar')
    ]
    torch.testing.assert_close(costs[1], costs[0] / 2)  # two of four columns have LiDAR
    assert PseudoDepthTarget(weight=2.0, sigma=0.3).loss(logits, inputs, bins) == 2 * everywhere
    with pytest.raises(KeyError, match='LoadPseudoDepth'):
        PseudoDepthTarget().loss(logits, {}, bins)
    with pytest.raises(ValueError, match='without_lidar'):
        PseudoDepthTarget(where='elsewhere')


def test_the_cache_goes_before_the_model():
    bins, target = DepthBins(1.0, 9.0, num=8), PseudoDepthTarget()
    near, far = torch.full((1, 1, 4, 8), 4.5), torch.full((1, 1, 4, 8), 8.5)
    logits = torch.zeros(1, 8, 2, 4)
    logits[:, 3] = 20.0  # 4 to 5 m
    of_near, of_far = (
        PseudoDepthTarget().loss(logits, dict(pseudo_depth=depth), bins) for depth in (near, far)
    )
    target.source = lambda inputs: (far, None)
    assert target.loss(logits, dict(pseudo_depth=near), bins) == of_near < of_far
    assert target.loss(logits, {}, bins) == of_far


def test_half_of_a_cell_has_to_be_known():
    depth = torch.tensor([[[3.0, 0, 5, 0], [0, 7, 0, 0]]])
    assert block_median_depth(depth, (1, 2)).tolist() == [[[3.0, 0.0]]]


def test_embodied_depth_is_a_target_of_its_own():
    """Equal maps give equal losses, under another name; neither target takes the other's map."""
    bins, logits = DepthBins(1.0, 9.0, num=8), torch.randn(1, 8, 2, 4)
    depth = torch.full((1, 1, 4, 8), 4.5)
    physics, pseudo = PhysicsDepthTarget(weight=2.0), PseudoDepthTarget(weight=2.0)
    loss = physics.loss(logits, dict(physics_depth=depth), bins)
    assert loss > 0 and loss == pseudo.loss(logits, dict(pseudo_depth=depth), bins)
    assert physics.name == 'physics'
    with pytest.raises(KeyError, match='expected physics_depth .*add LoadPhysicsDepth'):
        physics.loss(logits, dict(pseudo_depth=depth), bins)
