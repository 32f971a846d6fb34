"""Consistency of the depths of two frames."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .projection import back_project, project


def agrees_with(
    depth: Tensor,
    other: Tensor,
    cam2img: Tensor,
    other_cam2img: Tensor,
    transform: Tensor,
    tolerance: float,
) -> Tensor:
    """Mask of the pixels whose depth a second frame does not contradict.

    Every point is projected into the second camera. Moving objects, occluded points and errors in
    either frame have another depth there. The second map may have any unit: the median ratio is its
    scale.

    Args:
        depth: (M, H, W) metres along the camera's axis, 0 = none.
        other: (M, H, W) of the second camera, any unit, 0 = none.
        cam2img, other_cam2img: (M, 3, 3) intrinsics of these maps, pixels.
        transform: (M, 4, 4) first camera's frame to the second's, metres.
        tolerance: largest difference, as a share of the depth.

    Returns:
        (M, H, W) bool; true also where the second frame gives no evidence: outside its image, or
        without a depth there.

    Example:
        >>> cam2img = torch.tensor([[[50.0, 0, 2], [0, 50, 0], [0, 0, 1]]])
        >>> depth = torch.full((1, 2, 3), 10.0)
        >>> other = depth.clone()
        >>> other[0, 0, 2] = 15.0
        >>> agrees_with(depth, other, cam2img, cam2img, torch.eye(4)[None], 0.1)[0].tolist()
        [[True, True, False], [True, True, True]]
    """
    size = tuple(depth.shape[-2:])
    transform = transform.double()
    points = back_project(depth[:, None].double(), cam2img)
    grid = project(points, other_cam2img, transform, size)
    there = F.grid_sample(other[:, None].double(), grid, mode='nearest', align_corners=True)
    expected = transform[:, 2:3, :3] @ points + transform[:, 2:3, 3:]
    expected, there = expected.view(depth.shape), there.view(depth.shape)
    told = (depth > 0) & (expected > 0) & (there > 0)
    ratio = torch.where(told, there / expected, torch.nan)
    ratio = ratio / ratio.flatten(1).nanmedian(1).values[:, None, None]
    return ~told | ((ratio - 1).abs() <= tolerance)
