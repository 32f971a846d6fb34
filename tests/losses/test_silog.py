import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from hybrid_depth.losses import SILogLoss, standard_normal_divergence


def by_hand(depth, target, weight, low, high, tolerance):
    """The published loss, one image and one pixel at a time."""
    total = 0.0
    for image, truth in zip(depth.numpy(), target.numpy(), strict=True):
        d = [
            np.log(p) - np.log(t)
            for p, t in zip(image.ravel(), truth.ravel(), strict=True)
            if low < t < high
        ]
        if not d:
            continue
        counted = [x if abs(x) > tolerance else 0.0 for x in d]
        mean, squares = sum(counted) / len(d), sum(x * x for x in counted) / len(d)
        total += (squares - weight * mean**2) * len(d) / image.size
    return total


@pytest.mark.parametrize('weight', [0.0, 0.85, 1.0])
def test_it_is_the_published_sum(weight):
    depth, target = torch.rand(3, 1, 5, 7) * 90 + 0.05, torch.rand(3, 1, 5, 7) * 90
    target[0, 0, :2] = 0  # images with fewer points count less
    target[2] = 0
    target[1, 0, 0] = depth[1, 0, 0] * 1.0005  # within the tolerance
    expected = by_hand(depth, target, weight, 0.1, 80.0, 1e-3)
    assert SILogLoss(weight)(depth, target).item() == pytest.approx(expected, rel=1e-4)
    coarse = SILogLoss(weight, tolerance=0.5)(depth, target).item()
    assert coarse == pytest.approx(by_hand(depth, target, weight, 0.1, 80.0, 0.5), rel=1e-4)


def test_a_batch_without_targets_gives_zero_loss_and_gradient():
    depth = torch.rand(2, 1, 3, 3, requires_grad=True)
    loss = SILogLoss()(depth, torch.zeros(2, 1, 3, 3))
    loss.backward()
    assert loss.item() == 0 and depth.grad.abs().max() == 0


def test_pixels_without_a_target_have_no_gradient():
    depth = (torch.rand(1, 1, 1, 3) + 1).requires_grad_()
    target = torch.tensor([0.0, 5.0, 90.0]).view(1, 1, 1, 3)
    SILogLoss()(depth, target).backward()
    assert (depth.grad.flatten() != 0).tolist() == [False, True, False]


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match='one shape'):
        SILogLoss()(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 4, 4))


def test_divergence_is_that_of_torch():
    mean, std = torch.randn(4, 6), torch.rand(4, 6) + 0.1
    expected = kl_divergence(Normal(mean, std), Normal(0.0, 1.0)).sum(-1)
    assert torch.allclose(standard_normal_divergence(mean, std), expected, rtol=1e-4)
