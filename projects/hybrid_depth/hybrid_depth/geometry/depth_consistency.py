"""Depth consistency between two frames."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .projection import back_project, project


def depth_consistency_mask(
    depth: Tensor,
    other: Tensor,
    cam2img: Tensor,
    other_cam2img: Tensor,
    transform: Tensor,
    tolerance: float,
) -> Tensor:
    """Mask of the pixels whose depth is consistent with a second frame.

    Every point is projected into the second camera and its depth compared with the second map.
    Moving objects, occluded points and errors in either frame differ. The second map may have any
    unit: the median ratio gives its scale.

    Args:
        depth: (M, H, W) metres along the camera's axis, 0 = none.
        other: (M, H, W) of the second camera, any unit, 0 = none.
        cam2img, other_cam2img: (M, 3, 3) intrinsics of these maps, pixels.
        transform: (M, 4, 4) first camera's frame to the second's, metres.
        tolerance: largest relative difference of depth.

    Returns:
        (M, H, W) bool; true also without evidence: outside the second image, or where it has no
        depth.

    Example:
        >>> cam2img = torch.tensor([[[50.0, 0, 2], [0, 50, 0], [0, 0, 1]]])
        >>> depth = torch.full((1, 2, 3), 10.0)
        >>> other = depth.clone()
        >>> other[0, 0, 2] = 15.0
        >>> mask = depth_consistency_mask(depth, other, cam2img, cam2img, torch.eye(4)[None], 0.1)
        >>> mask[0].tolist()
        [[True, True, False], [True, True, True]]
    """
    size = tuple(depth.shape[-2:])
    transform = transform.double()
    points = back_project(depth[:, None].double(), cam2img)
    grid = project(points, other_cam2img, transform, size)
    sampled = F.grid_sample(other[:, None].double(), grid, mode='nearest', align_corners=True)
    expected = transform[:, 2:3, :3] @ points + transform[:, 2:3, 3:]
    expected, sampled = expected.view(depth.shape), sampled.view(depth.shape)
    valid = (depth > 0) & (expected > 0) & (sampled > 0)
    ratio = torch.where(valid, sampled / expected, torch.nan)
    ratio = ratio / ratio.flatten(1).nanmedian(1).values[:, None, None]
    return ~valid | ((ratio - 1).abs() <= tolerance)
