"""LiDAR sweeps in the files that people have."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..array_files import read_arrays
from ..files import atomic_file
from ..limits import check_file
from .errors import RigError

_FORMATS = ('.bin', '.npy', '.npz')
_FARTHEST = 1000.0  # metres


def read_points(path: Path, columns: int) -> np.ndarray:
    """(P, 4) float32 finite points: x, y, z in metres, and intensity (0 if there is none).

    Args:
        path: .bin (float32), .npy, or .npz (its first array, or `data`).
        columns: numbers per point of a .bin file.

    Raises:
        FileNotFoundError: no such file.
        DamagedFileError: it does not read.
        RigError: another format, number of columns or unit.
    """
    if path.suffix not in _FORMATS:
        raise RigError(
            f'{path}: expected a sweep as {", ".join(_FORMATS)}, got {path.suffix}; convert it to '
            '.npy with columns x, y, z, intensity'
        )
    if path.suffix == '.bin':
        check_file(path)
        points = np.fromfile(path, np.float32)
        if not points.size or points.size % columns:
            raise RigError(
                f'{path}: expected a multiple of {columns} float32 numbers, got {points.size}; set '
                'columns: of lidar'
            )
        points = points.reshape(-1, columns)
    else:
        arrays = read_arrays(path)
        points = arrays.get('data', next(iter(arrays.values()), np.empty(0)))
        if points.ndim != 2 or points.shape[1] < 3:
            raise RigError(
                f'{path}: expected an array (points, 3 or more), got shape {points.shape}'
            )
    points = np.asarray(points[:, :4], np.float32)
    points = points[np.isfinite(points).all(1)]
    if len(points) and np.median(np.linalg.norm(points[:, :3], axis=1)) > _FARTHEST:
        raise RigError(
            f'{path}: expected points in metres around the LiDAR, got a median distance of '
            f'{np.median(np.linalg.norm(points[:, :3], axis=1)):g}. Are these millimetres?'
        )
    if points.shape[1] == 3:
        points = np.concatenate([points, np.zeros((len(points), 1), np.float32)], 1)
    return points


def write_points(points: np.ndarray, path: Path) -> None:
    """Write points (P, 4) float32 as .bin, atomically."""
    with atomic_file(path) as file:
        file.write(np.ascontiguousarray(points, np.float32).tobytes())
