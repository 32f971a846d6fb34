"""Semantic-aware lift: class logits per feature cell, supervised by LiDAR points in boxes.

After SA-BEV (ICCV 2023, arXiv 2307.11477): class probabilities are lifted with the features, and
background features are scaled down. The dense supervision in the image shortens training from
random initialisation.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...geometry import CameraRig
from ...rotated_boxes import points_in_boxes
from .supervision import block_minimum_depth

#: Factor of background features.
_BACKGROUND = 0.1
#: Weight of a foreground cell relative to a background cell in the loss.
_FOREGROUND = 3.0
#: Margin around boxes, and height above the ground below which points are not labelled, metres.
_MARGIN = 0.1


class SemanticHead(nn.Module):
    """Head for class logits of feature cells; class 0 is background.

    Args:
        in_channels: channels of the features.
        num_classes: foreground classes C, in the order of the box labels.
        weight: loss weight.
    """

    def __init__(self, in_channels: int, num_classes: int, weight: float = 2.0):
        super().__init__()
        self.num_classes, self.weight = num_classes, weight
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(in_channels),
            nn.ReLU(),
            nn.Conv2d(in_channels, num_classes + 1, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(M, C_in, h, w) -> (M, 1 + C, h, w) logits."""
        return self.layers(x)

    def enrich(self, context: Tensor, logits: Tensor) -> Tensor:
        """Append C class probabilities to features (M, K, h, w), and scale background down."""
        prob = logits.float().softmax(1)
        return torch.cat((context * (1 - prob[:, :1] + _BACKGROUND), prob[:, 1:]), 1)

    def loss(self, logits: Tensor, inputs: dict) -> Tensor:
        """Weighted cross-entropy over the cells with a LiDAR point.

        Args:
            logits: (B * N, 1 + C, h, w).
            inputs: ``gt_depth`` (B, N, H, W), ``rig`` and ``gt_instances_3d``, one per sample.
        """
        depth = keep_nearest(inputs['gt_depth'], logits.shape[-2:])
        classes = lidar_classes(depth, inputs['rig'], inputs['gt_instances_3d'])
        target = nearest_of_cell(depth, classes, logits.shape[-2:])
        share = torch.where(target > 0, _FOREGROUND, 1.0) * (target >= 0)
        loss = F.cross_entropy(logits.float(), target.clamp(min=0), reduction='none')
        return self.weight * (loss * share).sum() / share.sum().clamp(min=1)


def lidar_classes(depth: Tensor, rig: CameraRig, truth: Sequence[InstanceData]) -> Tensor:
    """Class of every pixel with a LiDAR point.

    Args:
        depth: (B, N, H, W) metres, 0 = none.
        rig: cameras, B x N.
        truth: one per sample, ``bboxes_3d`` in the augmented ego frame and ``labels_3d``.

    Returns:
        (B, N, H, W) int64: -1 no point, 0 background, 1 + label inside a box.
    """
    sample, cam, v, u = depth.nonzero(as_tuple=True)
    z = depth[sample, cam, v, u].to(rig.cam2img)
    pixels = torch.stack((u.to(z), v.to(z), torch.ones_like(z)), -1)
    pixel2camera = torch.linalg.inv(rig.cam2img) @ torch.linalg.inv(rig.img_aug)
    cam2bev = rig.bda.unsqueeze(1) @ rig.cam2ego
    rays = torch.einsum('pij,pj->pi', pixel2camera[sample, cam], pixels)
    pose = cam2bev[sample, cam]
    points = torch.einsum('pij,pj->pi', pose[:, :3, :3], rays * z.unsqueeze(1)) + pose[:, :3, 3]
    classes = torch.full(depth.shape, -1, dtype=torch.int64, device=depth.device)
    for index, instances in enumerate(truth):
        in_sample = sample == index
        at = (sample[in_sample], cam[in_sample], v[in_sample], u[in_sample])
        classes[at] = _box_classes(points[in_sample], instances)
    return classes


def _box_classes(points: Tensor, truth: InstanceData) -> Tensor:
    """Class of points, (P, 3) -> (P,): 0 outside all boxes, 1 + label inside a box."""
    boxes = truth.bboxes_3d.tensor.to(points)
    if len(boxes) == 0:
        return points.new_zeros(len(points), dtype=torch.int64)
    bottoms, sizes, yaws = boxes[:, :3], boxes[:, 3:6], boxes[:, 6]
    centres = bottoms + F.pad(sizes[:, 2:] / 2 + _MARGIN, (2, 0))
    wider = sizes + sizes.new_tensor([2 * _MARGIN, 2 * _MARGIN, 0])
    inside = points_in_boxes(points, centres, wider, torch.stack((yaws.cos(), yaws.sin()), 1))
    label = truth.labels_3d[inside.float().argmax(0)] + 1
    return label * inside.any(0)


def keep_nearest(depth: Tensor, size: tuple[int, int]) -> Tensor:
    """Depth maps (B, N, H, W) with only the nearest point of each of (h, w) cells."""
    nearest = block_minimum_depth(depth.flatten(0, 1), size)
    for dim in (1, 2):
        nearest = nearest.repeat_interleave(depth.shape[1 + dim] // size[dim - 1], dim)
    return depth * (depth == nearest.view_as(depth))


def nearest_of_cell(depth: Tensor, classes: Tensor, size: tuple[int, int]) -> Tensor:
    """Class of the nearest LiDAR point of each cell, (B, N, H, W) -> (B * N, h, w), -1 = none."""
    h, w = size
    depth, classes = (
        t.flatten(0, 1).unflatten(1, (h, -1)).unflatten(3, (w, -1)).transpose(2, 3).flatten(3)
        for t in (depth, classes)
    )
    nearest = depth.masked_fill(depth == 0, torch.inf).argmin(-1, keepdim=True)
    return classes.gather(-1, nearest).squeeze(-1)
