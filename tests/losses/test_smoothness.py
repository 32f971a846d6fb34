import torch

from hybrid_depth.losses import edge_aware_smoothness, normalize_by_mean
from tests.golden.monodepth2 import image
from tests.golden.reader import Golden

LAYERS = Golden('monodepth2_layers')


def test_golden():
    disparity = image('smooth.disp', (3, 20, 60))[:2, None].clone().requires_grad_()
    loss = edge_aware_smoothness(disparity, image('ssim.x', (2, 3, 20, 60)))
    loss.backward()
    LAYERS.check('smooth', loss, 1e-6)
    LAYERS.check('smooth.grad', disparity.grad, 1e-5)


def test_disparity_edges_cost_less_at_image_edges():
    disparity, flat = torch.zeros(1, 1, 4, 6), torch.zeros(1, 3, 4, 6)
    disparity[..., 3:] = 1
    edge = flat + disparity
    loss = edge_aware_smoothness(disparity, flat)
    assert torch.isclose(loss, torch.tensor(1 / 5))
    assert torch.isclose(edge_aware_smoothness(disparity, edge), loss * torch.tensor(-1.0).exp())


def test_scaling_the_disparity_changes_nothing():
    disparity, image = torch.rand(2, 1, 8, 9), torch.rand(2, 3, 8, 9)
    full = edge_aware_smoothness(normalize_by_mean(disparity), image)
    small = edge_aware_smoothness(normalize_by_mean(0.01 * disparity), image)
    assert torch.isclose(full, small, rtol=1e-4)
