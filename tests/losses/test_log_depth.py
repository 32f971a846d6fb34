import math

import pytest
import torch

from hybrid_depth.losses import log_depth_error


def test_mean_over_known_pixels_and_its_gradient():
    depth = torch.tensor([[[[11.0, 10.0, 5.0]]]], requires_grad=True)
    target = torch.tensor([[[[10.0, 20.0, 0.0]]]])
    error = log_depth_error(depth, target)
    assert error.item() == pytest.approx((math.log(1.1) + math.log(2)) / 2)
    error.backward()
    torch.testing.assert_close(depth.grad, torch.tensor([[[[1 / 22, -1 / 20, 0.0]]]]))


def test_without_targets_it_is_zero_with_a_gradient_of_zero():
    depth = torch.ones(1, 1, 2, 2, requires_grad=True)
    error = log_depth_error(depth, torch.zeros(1, 1, 2, 2))
    error.backward()
    assert error == 0 and not depth.grad.any()
    with pytest.raises(ValueError, match='one shape'):
        log_depth_error(depth, torch.zeros(1, 1, 1, 2))
