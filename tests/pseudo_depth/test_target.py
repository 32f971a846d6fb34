"""Depth supervision by a self-supervised model's depth maps."""

import pytest
import torch

from hybrid_depth.geometry import DepthBins
from hybrid_depth.pseudo_depth.target import (
    PhysicsDepthTarget,
    PseudoDepthTarget,
    block_median_depth,
    lidar_gaps,
)


def test_cells_have_the_median_of_valid_pixels():
    depth = torch.zeros(1, 4, 8)
    depth[0, :2, :2] = torch.tensor([[10.0, 11.0], [12.0, 50.0]])
    depth[0, 0, 4] = 7.0  # one of four
    cells = block_median_depth(depth, (2, 4))
    assert cells.tolist() == [[[11.0, 0, 0, 0], [0, 0, 0, 0]]]


def test_gaps_of_lidar_have_a_point_above():
    """Of three columns the first has points in the second and fourth of five rows, the next one in
    the last row only, the last one none. Above the highest point is sky."""
    lidar = torch.zeros(1, 10, 6)
    lidar[0, 3, 1] = lidar[0, 6, 0] = lidar[0, 9, 2] = 7.0
    gaps = lidar_gaps(lidar, (5, 3))
    assert gaps[0].int().tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0], [1, 0, 0]]


def test_target_in_gaps_of_lidar():
    bins, inputs = DepthBins(1.0, 9.0, num=8), {}
    inputs['pseudo_depth'] = torch.full((1, 1, 8, 8), 4.5)
    inputs['gt_depth'] = torch.zeros(1, 1, 8, 8)
    inputs['gt_depth'][..., 2:4, :] = 2.0  # second of four rows of cells
    logits = torch.zeros(1, 8, 4, 4)
    logits[:, 3] = 20.0  # predicts 4 to 5 m everywhere
    logits[:, :, :2] = logits.flip(1)[:, :, :2]  # and another depth in cells with LiDAR and sky
    everywhere = PseudoDepthTarget(sigma=0.3).loss(logits, inputs, bins)
    gaps = PseudoDepthTarget(sigma=0.3, where='lidar_gaps').loss(logits, inputs, bins)
    assert gaps < 0.2 < everywhere
    assert PseudoDepthTarget(weight=2.0, sigma=0.3).loss(logits, inputs, bins) == 2 * everywhere
    with pytest.raises(KeyError, match='LoadPseudoDepth'):
        PseudoDepthTarget().loss(logits, {}, bins)
    with pytest.raises(ValueError, match='lidar_gaps'):
        PseudoDepthTarget(where='elsewhere')


def test_a_cell_of_a_gap_has_the_weight_of_any_other():
    """Also beside cells beyond the bins, which have no target: counted as supervised, each label
    of a sky that is mostly far had several times the weight of a LiDAR label."""
    bins, flat = DepthBins(1.0, 9.0, num=8), torch.zeros(1, 8, 4, 4)  # equal loss in all cells
    inputs = dict(pseudo_depth=torch.full((1, 1, 8, 8), 4.5), gt_depth=torch.zeros(1, 1, 8, 8))
    inputs['gt_depth'][..., :2, :] = 2.0  # three of four rows are gaps
    inputs['pseudo_depth'][..., 4:, :] = 70.0  # two of them beyond the bins
    one = PseudoDepthTarget().loss(flat, dict(pseudo_depth=torch.full((1, 1, 8, 8), 4.5)), bins)
    gaps = PseudoDepthTarget(where='lidar_gaps').loss(flat, inputs, bins)
    torch.testing.assert_close(gaps, one / 2)  # of two rows within the bins one is a gap
    inputs['gt_depth'][:] = 2.0
    assert PseudoDepthTarget(where='lidar_gaps').loss(flat, inputs, bins) == 0


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
