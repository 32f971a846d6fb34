"""Velodyne sweeps of KITTI and their sparse depth maps."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from ...errors import DepthDataError
from .calibration import KittiCalibration

_FARTHEST, _FEW = 1000.0, 0.01  # metres; fraction of points that may be garbage
DepthValue = Literal['z', 'forward']


def read_velodyne(path: str | Path) -> np.ndarray:
    """Read a sweep stored as raw float32.

    Returns:
        (N, 4) float32: x forward, y left, z up in metres, reflectance.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: the file is truncated, empty, or of another point layout.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'expected the Velodyne sweep {path}, which does not exist')
    size = path.stat().st_size
    if size == 0 or size % 16:
        raise DepthDataError(
            f'{path}: expected a multiple of 16 bytes (4 float32 per point), got {size}. The file '
            'is damaged; unpack its drive again.'
        )
    points = np.fromfile(path, dtype=np.float32).reshape(-1, 4)
    known = points[np.isfinite(points).all(1)]
    odd = (np.abs(known[:, :3]) > _FARTHEST).any(1) | (known[:, 3] < 0) | (known[:, 3] > 1)
    if not len(known) or odd.mean() > _FEW:
        raise DepthDataError(
            f'{path}: expected points x, y, z in metres and reflectance from 0 to 1, got other '
            'values. Is it a sweep of another data set, with more values per point?'
        )
    return points


def velodyne_depth_map(
    points: np.ndarray, calibration: KittiCalibration, camera: int = 2, value: DepthValue = 'z'
) -> np.ndarray:
    """Sparse depth map of a sweep by Eigen et al.'s protocol, including its rounding.

    Points behind the sensor are dropped; the pixel is the rounded coordinate minus 1 (half to
    even); a pixel takes its nearest point. Pixels are identified by
    `row * (width - 1) + column - 1`, which merges the last column of a row with the first of the
    next: the earliest of their points gets the nearest of both distances
    (docs/reference/kitti.md, "Velodyne depth maps").

    Args:
        points: (N, 4) sweep, Velodyne frame, metres.
        calibration: of the recording day.
        camera: 2 (left) or 3 (right).
        value: 'z' is depth along the camera's axis (training); 'forward' is the Velodyne's x, as
            in the `eigen` ground truth.

    Returns:
        (H, W) float64 of S_rect_02's size for either camera, metres, 0 without a measurement.
    """
    points = points[points[:, 0] >= 0]
    homogeneous = np.column_stack([points[:, :3], np.ones(len(points))])
    projected = homogeneous @ calibration.velo_to_image(camera).T
    with np.errstate(divide='ignore', invalid='ignore'):  # points at depth zero
        pixels = np.round(projected[:, :2] / projected[:, 2:]) - 1
    depths = projected[:, 2] if value == 'z' else points[:, 0].astype(np.float64)

    width, height = calibration.image_size
    inside = ((pixels >= 0) & (pixels < (width, height))).all(axis=1)
    columns, rows = pixels[inside].astype(np.int64).T
    depths = depths[inside]

    depth_map = np.zeros((height, width))
    depth_map[rows, columns] = depths
    _, first, group = np.unique(
        rows * (width - 1) + columns - 1, return_index=True, return_inverse=True
    )
    nearest = np.full(len(first), np.inf)
    np.minimum.at(nearest, group, depths)
    depth_map[rows[first], columns[first]] = nearest
    return np.maximum(depth_map, 0)
