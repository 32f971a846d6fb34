"""Foreground cells of boxes."""

import math

import pytest
import torch
from mmdet3d.structures import LiDARInstance3DBoxes

from hybrid_depth.bev.refine.foreground_proposal import ForegroundProposal, footprints
from hybrid_depth.geometry import VoxelGrid

GRID = VoxelGrid(x=(-10.0, 10.0, 0.5), y=(-6.0, 6.0, 0.5), z=(-5.0, 3.0, 8.0))


def boxes(*rows: tuple[float, ...]) -> LiDARInstance3DBoxes:
    """x, y, length, width, yaw."""
    full = [(x, y, 0.0, length, width, 1.5, yaw, 0.0, 0.0) for x, y, length, width, yaw in rows]
    return LiDARInstance3DBoxes(torch.tensor(full).view(-1, 9), box_dim=9)


def test_a_box_covers_cells_by_their_centres():
    mask = footprints(boxes((2.0, 1.0, 4.0, 2.0, 0.0)), GRID)
    assert mask.shape == (24, 40)
    rows, columns = mask.nonzero().T
    assert (rows.min(), rows.max()) == (12, 15)  # y 0 to 2
    assert (columns.min(), columns.max()) == (20, 27)  # x 0 to 4
    assert mask.sum() == 4 * 8


def test_rotated_boxes_equal_mmdet3d():
    turned = boxes((-3.0, 0.2, 4.5, 1.9, 0.6), (4.0, -2.0, 8.0, 2.5, -2.2))
    mask = footprints(turned, GRID)
    cells = GRID.centres()[0].flatten(0, 1)
    corners = turned.corners[:, [0, 3, 7, 4], :2]  # bottom corners in cyclic order
    for box in corners:
        edges = box.roll(-1, 0) - box
        to_cells = cells[:, None, :2] - box
        side = edges[:, 0] * to_cells[..., 1] - edges[:, 1] * to_cells[..., 0]
        inside = ((side >= 0).all(1) | (side <= 0).all(1)).view(24, 40)
        assert inside.sum() > 20 and mask[inside].all()
    areas = (4.5 * 1.9 + 8.0 * 2.5) / 0.25
    assert math.isclose(mask.sum(), areas, rel_tol=0.1)


def test_a_pedestrian_covers_one_cell():
    assert footprints(boxes((0.1, 0.1, 0.2, 0.2, 0.0)), GRID).nonzero().tolist() == [[12, 20]]
    assert footprints(boxes((30.0, 0.0, 4.0, 2.0, 0.0)), GRID).sum() == 0
    assert footprints(boxes(), GRID).sum() == 0


def test_losses_by_hand():
    """Cross entropy with foreground 2.13 times as heavy, and one minus the Dice coefficient."""
    logits, truth = torch.randn(2, 1, 3, 4), torch.rand(2, 3, 4) < 0.4
    losses = ForegroundProposal(4).loss(logits, truth)
    prob, true = logits[:, 0].sigmoid(), truth.float()
    surprise = -(2.13 * true * prob.log() + (1 - true) * (1 - prob).log())
    torch.testing.assert_close(losses['loss_mask_ce'], surprise.mean())
    overlap = (prob * true).sum((1, 2))
    sizes = prob.square().sum((1, 2)) + true.sum((1, 2)) + 2e-3
    torch.testing.assert_close(losses['loss_mask_dice'], (1 - 2 * overlap / sizes).mean())


@pytest.mark.parametrize('teacher_forcing', [True, False])
def test_cells_above_the_threshold_are_kept(teacher_forcing):
    prob = torch.tensor([0.1, 0.39, 0.41, 0.9]).view(1, 1, 1, 4)
    proposal = ForegroundProposal(4, teacher_forcing=teacher_forcing)
    assert proposal.kept(prob.logit()).tolist() == [[[False, False, True, True]]]
    truth = torch.tensor([[[True, False, True, False]]])
    kept = [[[teacher_forcing, False, True, True]]]
    assert proposal.kept(prob.logit(), truth).tolist() == kept
