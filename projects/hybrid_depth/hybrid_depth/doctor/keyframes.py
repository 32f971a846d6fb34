"""Keyframes of a detector's data sets, as read: images, calibration, LiDAR points, boxes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..geometry.rigid import invert_rigid


@dataclass(frozen=True)
class Keyframe:
    """One sample of an info file before its pipeline.

    Args:
        token: name of the sample.
        cam_names, img_path: N cameras and their files.
        images: N images (H, W, 3) uint8 RGB.
        cam2img: (N, 3, 3) pixels.
        cam2ego: (N, 4, 4), lidar2ego: (4, 4), metres.
        boxes: (M, 7) centre, length, width, height, yaw in the LiDAR frame, as in the file.
        labels: (M,) class numbers, -1 for other classes.
        velocities: (M, 2) in the LiDAR frame, m/s; 0 where unknown.
        points: (P, 3) in the LiDAR frame, or None without a sweep.
        rings: (P,) number of the laser, or None.
        info: the sample's entry, parsed.
    """

    token: str
    cam_names: list[str]
    img_path: list[str]
    images: list[np.ndarray]
    cam2img: np.ndarray
    cam2ego: np.ndarray
    lidar2ego: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    velocities: np.ndarray
    points: np.ndarray | None
    rings: np.ndarray | None
    info: dict

    @cached_property
    def ego_points(self) -> np.ndarray | None:
        """(P, 3) LiDAR points in the ego frame."""
        return None if self.points is None else moved(self.points, self.lidar2ego)

    @cached_property
    def ego2cam(self) -> np.ndarray:
        """(N, 4, 4)."""
        import torch

        return invert_rigid(torch.from_numpy(self.cam2ego)).numpy()


def moved(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Points (..., 3) after a rigid transform (4, 4)."""
    return points @ transform[:3, :3].T + transform[:3, 3]


def read_keyframe(info: dict) -> Keyframe:
    """Keyframe of an entry of `NuScenesBEVDataset`, with its images and sweep."""
    from ..datasets.image_files import open_image

    boxes, labels, velocities = _annotations(info)
    points, rings = _sweep(info)
    return Keyframe(
        token=info['token'],
        cam_names=info['cam_names'],
        img_path=info['img_path'],
        images=[np.asarray(open_image(path)) for path in info['img_path']],
        cam2img=info['cam2img'],
        cam2ego=info['cam2ego'],
        lidar2ego=info['lidar2ego'],
        boxes=boxes,
        labels=labels,
        velocities=velocities,
        points=points,
        rings=rings,
        info=info,
    )


def _annotations(info: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    annotations: dict[str, Any] | None = info.get('ann_info') or info.get('eval_ann_info')
    if not annotations or not len(annotations['gt_bboxes_3d']):
        return np.empty((0, 7)), np.empty(0, int), np.empty((0, 2))
    boxes = annotations['gt_bboxes_3d']
    rows = boxes.tensor.double().numpy()
    centres = boxes.gravity_center.double().numpy()
    velocities = rows[:, 7:9] if rows.shape[1] > 7 else np.zeros((len(rows), 2))
    labels = np.asarray(annotations['gt_labels_3d'])
    return np.hstack([centres, rows[:, 3:7]]), labels, velocities


def _sweep(info: dict) -> tuple[np.ndarray | None, np.ndarray | None]:
    if not os.path.isfile(info.get('lidar_path', '')):
        return None, None
    from ..bev.transforms.lidar_depth import load_sweep

    sweep = load_sweep(info['lidar_path'], info['num_pts_feats'])
    return sweep[:, :3].astype(np.float64), sweep[:, 4] if sweep.shape[1] > 4 else None
