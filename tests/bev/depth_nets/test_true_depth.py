"""True depth of feature cells in place of predicted depth."""

import torch

from hybrid_depth.bev.depth_nets.base import DepthDistribution
from hybrid_depth.bev.depth_nets.true_depth import TrueCells, with_true_depth
from hybrid_depth.geometry import DepthBins
from tests.bev.depth_nets.test_semantics import forward_rig, one_box

BINS = DepthBins(1.0, 9.0, num=8)


def scene() -> torch.Tensor:
    """A wall 30 m ahead, on the right half sky; a box's rear face at 8 m in the middle."""
    depth = torch.full((1, 1, 32, 64), 30.0)
    depth[..., 40:] = 0
    depth[..., 16:20, 31:35] = 8.0
    return depth


def test_a_cell_has_depth_and_class_of_its_nearest_pixel():
    cells = TrueCells.of(scene(), forward_rig(), [one_box()], (4, 8))
    assert cells.depth.shape == cells.label.shape == (1, 4, 8)
    expected = torch.full((4, 8), 30.0)
    expected[:, 5:] = 0
    expected[2, 3:5] = 8
    assert torch.equal(cells.depth[0], expected)
    labels = torch.where(expected == 8, 4, torch.where(expected == 0, -1, 0))
    assert torch.equal(cells.label[0], labels)


def test_cells_of_ranges_and_labels():
    cells = TrueCells(torch.tensor([[[0.0, 4.0, 10.0, 70.0]]]), torch.tensor([[[-1, 0, 3, 0]]]))
    cases = {
        (None, None): [0, 1, 1, 1],
        (((0, 10),), None): [0, 1, 0, 0],  # 10 m is in the next range
        (((10, None),), None): [0, 0, 1, 1],
        (((0, 5), (50, None)), None): [0, 1, 0, 1],
        (None, (3,)): [0, 0, 1, 0],
        (None, (0,)): [0, 1, 0, 1],
        (((5, None),), (0, 2)): [0, 0, 0, 1],
        (None, ()): [0, 0, 0, 0],
    }
    for (ranges, labels), expected in cases.items():
        assert cells.chosen(ranges, labels).int().flatten().tolist() == expected, (ranges, labels)


def test_chosen_cells_are_lifted_at_their_true_depth():
    logits, context = torch.randn(1, 8, 1, 4), torch.randn(1, 2, 1, 4)
    depth = torch.tensor([[[3.2, 5.5, 20.0, 20.0]]])
    chosen = torch.tensor([[[True, False, True, False]]])
    predicted = DepthDistribution(logits, context, dict(a=context))
    for sigma, target in ((None, BINS.one_hot(depth)), (0.7, BINS.soft(depth, 0.7))):
        found = with_true_depth(predicted, depth, chosen, BINS, sigma)
        torch.testing.assert_close(found.prob[..., 0], target[..., 0], atol=1e-7, rtol=0)
        for kept in (1, 3):
            assert torch.equal(found.logits[..., kept], logits[..., kept])
        assert torch.equal(found.context[..., [0, 1, 3]], context[..., [0, 1, 3]])
        assert (found.context[..., 2] == 0).all(), 'beyond the bins nothing is lifted'
        assert found.logits.isfinite().all() and found.aux is predicted.aux


def test_only_cells_with_predicted_depth_have_a_gradient():
    logits = torch.zeros(1, 8, 1, 2, requires_grad=True)
    context = torch.ones(1, 2, 1, 2, requires_grad=True)
    chosen = torch.tensor([[[True, False]]])
    depth = torch.full((1, 1, 2), 3.0)
    found = with_true_depth(DepthDistribution(logits, context), depth, chosen, BINS)
    (found.prob[:, :, None] * found.context[:, None]).square().sum().backward()
    assert (logits.grad[..., 0] == 0).all() and (context.grad != 0).all()
