"""LiDAR points in boxes, under the convention of a file and under others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .keyframes import Keyframe, moved

#: Boxes (M, 7) of a keyframe in the LiDAR frame, under some convention.
Reading = Callable[[Keyframe], np.ndarray]

_GROUND = 0.3  # metres; lower points are on the ground, where a wrong box has points too
_MARGIN = 0.05  # metres; annotators leave about as much


def count_inside(points: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(M,) number of points (P, 3) in boxes (M, 7) of the same frame."""
    counts = np.zeros(len(boxes))
    for place, (x, y, z, length, width, height, yaw) in enumerate(boxes):
        offset = points - (x, y, z)
        cos, sin = np.cos(yaw), np.sin(yaw)
        along = np.abs(offset[:, 0] * cos + offset[:, 1] * sin) < length / 2 + _MARGIN
        across = np.abs(offset[:, 1] * cos - offset[:, 0] * sin) < width / 2 + _MARGIN
        upright = np.abs(offset[:, 2]) < height / 2 + _MARGIN
        counts[place] = (along & across & upright).sum()
    return counts


def fit(keyframes: Sequence[Keyframe], reading: Reading) -> float:
    """Sum over boxes of log(1 + points inside), so that near boxes do not decide alone.

    Args:
        keyframes: keyframes with sweeps.
        reading: their convention.
    """
    total = 0.0
    for keyframe in keyframes:
        points = keyframe.points[keyframe.ego_points[:, 2] > _GROUND]
        total += float(np.log1p(count_inside(points, reading(keyframe))).sum())
    return total


def as_written(keyframe: Keyframe) -> np.ndarray:
    """Boxes of the file."""
    return keyframe.boxes


def turned(keyframe: Keyframe) -> np.ndarray:
    """Boxes with length and width exchanged, which is a yaw turned by 90 degrees."""
    return keyframe.boxes[:, [0, 1, 2, 4, 3, 5, 6]]


def mirrored(keyframe: Keyframe) -> np.ndarray:
    """Boxes with a clockwise yaw."""
    return keyframe.boxes * (1, 1, 1, 1, 1, 1, -1)


def mirrored_turned(keyframe: Keyframe) -> np.ndarray:
    """Both."""
    return turned(keyframe) * (1, 1, 1, 1, 1, 1, -1)


def in_ego_frame(keyframe: Keyframe) -> np.ndarray:
    """Boxes that are in the ego frame."""
    return _moved_boxes(keyframe.boxes, np.linalg.inv(keyframe.lidar2ego))


def in_global_frame(keyframe: Keyframe) -> np.ndarray:
    """Boxes that are in the global frame."""
    ego2global = keyframe.info['ego2global']
    return _moved_boxes(keyframe.boxes, np.linalg.inv(ego2global @ keyframe.lidar2ego))


def twice_moved(keyframe: Keyframe) -> np.ndarray:
    """Boxes that were transformed from the ego to the LiDAR frame twice."""
    return _moved_boxes(keyframe.boxes, keyframe.lidar2ego)


def from_bottom(keyframe: Keyframe) -> np.ndarray:
    """Boxes whose z is at the bottom."""
    return keyframe.boxes + keyframe.boxes[:, 5:6] * (0, 0, 0.5, 0, 0, 0, 0)


def from_top(keyframe: Keyframe) -> np.ndarray:
    """Boxes from whose z half of the height was subtracted once too often."""
    return keyframe.boxes - keyframe.boxes[:, 5:6] * (0, 0, 0.5, 0, 0, 0, 0)


def _moved_boxes(boxes: np.ndarray, transform: np.ndarray) -> np.ndarray:
    yaw = np.arctan2(transform[1, 0], transform[0, 0])
    rows = boxes.copy()
    rows[:, :3] = moved(boxes[:, :3], transform)
    rows[:, 6] += yaw
    return rows
