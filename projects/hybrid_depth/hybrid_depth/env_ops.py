"""Checks of the models' ops on a device against precomputed results."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .geometry import VoxelGrid
from .ops import PoolingPlan, bev_pool, rotated_nms


def _expect(found: Tensor, expected: list) -> str:
    """Return 'ok', or raise RuntimeError for differences above half precision."""
    expected = torch.tensor(expected, dtype=torch.float32)
    found = found.detach().float().cpu()
    if found.shape != expected.shape or (found - expected).abs().max() > 1e-2:
        raise RuntimeError(f'expected {expected.tolist()}, got {found.tolist()}')
    return 'ok'


def _bf16(device: str) -> str:
    """Linear layer of ones on an input of ones, and the gradient of its weights."""
    layer = torch.nn.Linear(2, 1, bias=False, device=device, dtype=torch.bfloat16)
    torch.nn.init.ones_(layer.weight)
    out = layer(torch.ones(1, 2, dtype=torch.bfloat16, device=device))
    out.backward()
    return _expect(torch.cat((out, layer.weight.grad), 1), [[2, 1, 1]])


def _grid_sample(device: str) -> str:
    """Value half-way between two pixels, and its gradient."""
    image = torch.tensor([1.0, 3.0], device=device).view(1, 1, 1, 2).requires_grad_()
    out = F.grid_sample(image, torch.zeros(1, 1, 1, 2, device=device), align_corners=False)
    out.backward()
    return _expect(torch.cat((out, image.grad), 3).flatten(), [2, 0.5, 0.5])


def _deformable_convolution(device: str) -> str:
    """A 1x1 kernel with an offset of one pixel to the right."""
    from torchvision.ops import deform_conv2d  # imported here to report a broken torchvision

    image = torch.tensor([1.0, 3.0], device=device).view(1, 1, 1, 2).requires_grad_()
    offset = torch.tensor([0.0, 1.0], device=device).view(1, 2, 1, 1).expand(1, 2, 1, 2)
    out = deform_conv2d(image, offset.contiguous(), torch.ones(1, 1, 1, 1, device=device))
    out.sum().backward()
    return _expect(torch.cat((out, image.grad), 3).flatten(), [3, 0, 0, 1])


def _bev_pooling(device: str) -> str:
    """Two pixels with two depth bins each in a grid of two cells; one point is outside."""
    ranks = torch.tensor([0, 0, 1, -1], device=device).view(1, 1, 2, 1, 2)
    plan = PoolingPlan(ranks, VoxelGrid((0.0, 2.0, 1.0), (0.0, 1.0, 1.0), (0.0, 1.0, 1.0)))
    depth = torch.tensor([0.5, 0.25, 0.5, 0.75], device=device).view(1, 1, 2, 1, 2)
    feat = torch.tensor([1.0, 2.0], device=device).view(1, 1, 1, 1, 2).requires_grad_()
    out = bev_pool(depth, feat, plan)
    out.sum().backward()
    return _expect(torch.cat((out.flatten(), feat.grad.flatten())), [1, 0.5, 1, 0.25])


def _rotated_nms(device: str) -> str:
    """Two overlapping boxes and a separate one."""
    boxes = torch.tensor([[0, 0, 4, 2, 0.0], [0, 0, 4, 2, 0.1], [9, 9, 4, 2, 0.0]], device=device)
    return _expect(rotated_nms(boxes, torch.tensor([0.9, 0.8, 0.7], device=device), 0.5), [0, 2])


OPS = {
    'bf16': _bf16,
    'grid sample': _grid_sample,
    'deformable convolution': _deformable_convolution,
    'BEV pooling': _bev_pooling,
    'rotated NMS': _rotated_nms,
}
