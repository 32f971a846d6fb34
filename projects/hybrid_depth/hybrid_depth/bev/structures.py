"""Transformation of 3D boxes between LiDAR and ego frame."""

from __future__ import annotations

import numpy as np
import torch
from mmdet3d.structures import LiDARInstance3DBoxes
from torch import Tensor

from ..geometry import invert_rigid

#: Maps (N, H, W) of a sample that go to the model, where a transform sets them.
INPUT_MAPS = ('gt_depth', 'pseudo_depth', 'physics_depth', 'true_depth', 'ground_mask')


def transform_boxes(
    boxes: LiDARInstance3DBoxes, transform: np.ndarray | Tensor
) -> LiDARInstance3DBoxes:
    """Transform boxes between two frames whose z axes nearly agree.

    Centres are rotated in 3-D. The new yaw is that of the rotated heading vector, and the new
    velocity the x, y part of the rotated velocity: the error is of the order of the square of the
    tilt between the two z axes. Layout of a box: docs/reference/conventions.md, "Boxes".

    Args:
        boxes: (n, 7) or, with velocity, (n, 9), metres, radians and m/s.
        transform: (4, 4) old frame to new frame.

    Returns:
        Boxes of the same width, type and device; computed in float64.
    """
    old = boxes.tensor.double()
    transform = torch.as_tensor(transform).to(old)
    rotation, translation = transform[:3, :3], transform[:3, 3]
    centre = boxes.gravity_center.double() @ rotation.T + translation
    heading = torch.stack((old[:, 6].cos(), old[:, 6].sin()), 1) @ rotation[:2, :2].T
    parts = [centre, old[:, 3:6], torch.atan2(heading[:, 1:], heading[:, :1])]
    if old.shape[1] > 7:
        parts.append(old[:, 7:9] @ rotation[:2, :2].T)
    return LiDARInstance3DBoxes(
        torch.cat(parts, 1).to(boxes.tensor.dtype),
        box_dim=old.shape[1],
        origin=(0.5, 0.5, 0.5),
    )


def lidar_to_ego_boxes(
    boxes: LiDARInstance3DBoxes, lidar2ego: np.ndarray | Tensor
) -> LiDARInstance3DBoxes:
    """Transform boxes from the LiDAR frame (info files, mmdet3d's metrics) to the ego frame."""
    return transform_boxes(boxes, lidar2ego)


def ego_to_lidar_boxes(
    boxes: LiDARInstance3DBoxes, lidar2ego: np.ndarray | Tensor
) -> LiDARInstance3DBoxes:
    """Transform boxes from the ego frame (BEV models) to the LiDAR frame."""
    return transform_boxes(boxes, invert_rigid(torch.as_tensor(lidar2ego, dtype=torch.float64)))
