"""Per-pixel depth of the ground plane, from camera calibration."""

import torch
from torch import Tensor

from .camera_rig import CameraRig


def ground_plane_depth(pixels: Tensor, rig: CameraRig, max_depth: float) -> Tensor:
    """Camera depth at which each pixel's ray meets the ground, z = 0 of the ego frame.

    z = h / (n . K^-1 p), n pointing down and h the camera's height ("embodied depth" of
    Vision-Language Embodiment, CVPR 2025, arXiv 2503.16535; docs/reference/ground_plane.md,
    "Depth of the ground plane"). Needs no training and no LiDAR. Objects on the ground are nearer
    than the ground depth of their pixels; the difference grows with height above the ground.

    Args:
        pixels: (h, w, 2) of (u, v), network pixels.
        rig: cameras, B x N.
        max_depth: metres; farther ground, and pixels at or above the horizon, are invalid.

    Returns:
        (B, N, h, w) metres in the rig's dtype, 0 where invalid.

    Example:
        >>> k = torch.tensor([[[[100.0, 0, 32], [0, 100, 24], [0, 0, 1]]]])
        >>> front = [[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]]
        >>> unit = torch.eye(4)[None]
        >>> rig = CameraRig(k, torch.tensor([[front]]), unit[None, :, :3, :3], unit, unit)
        >>> pixels = torch.tensor([[[32.0, 39.0], [32.0, 24.0]]])  # the second lies on the horizon
        >>> ground_plane_depth(pixels, rig, max_depth=80.0).round(decimals=3).flatten().tolist()
        [10.0, 0.0]
    """
    points = torch.nn.functional.pad(pixels.to(rig.cam2img), (0, 1), value=1.0)
    pixel2camera = torch.linalg.inv(rig.cam2img) @ torch.linalg.inv(rig.img_aug)
    down = -rig.cam2ego[..., 2, :3]  # the ego frame's down axis in the camera frame
    slope = torch.einsum('hwp,bncp,bnc->bnhw', points, pixel2camera, down)
    height = rig.cam2ego[..., 2, 3, None, None]
    valid = slope * max_depth > height
    return torch.where(valid, height / slope.where(valid, torch.ones_like(slope)), 0.0)
