"""Coloured point clouds from depth maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..files import atomic_file
from ..geometry.projection import back_project

_FIELDS = [(axis, '<f4') for axis in 'xyz'] + [(c, 'u1') for c in ('red', 'green', 'blue')]
_TYPES = {'<f4': 'float', 'u1': 'uchar'}


def depth_points(
    depth: np.ndarray, image: np.ndarray, cam2img: np.ndarray, max_depth: float
) -> tuple[np.ndarray, np.ndarray]:
    """Coloured points of a depth map.

    Args:
        depth: (H, W).
        image: (H, W, 3) uint8 RGB.
        cam2img: (3, 3) intrinsics, pixels of this map.
        max_depth: largest depth of the points, in the unit of depth.

    Returns:
        (N, 3) float32 points, camera frame (x right, y down, z forward), and (N, 3) uint8.
    """
    maps = torch.from_numpy(np.asarray(depth, dtype=np.float32))[None, None]
    matrix = torch.from_numpy(np.asarray(cam2img, dtype=np.float32))[None]
    points = back_project(maps, matrix)[0].T.numpy()
    kept = np.isfinite(depth).ravel() & (depth.ravel() <= max_depth)
    return points[kept], image.reshape(-1, 3)[kept]


def write_ply(points: np.ndarray, colors: np.ndarray, path: str | Path, comment: str) -> None:
    """Write (N, 3) points and (N, 3) uint8 colours as a binary PLY file, atomically."""
    table = np.empty(len(points), dtype=_FIELDS)
    for values, names in ((points, 'xyz'), (colors, ('red', 'green', 'blue'))):
        for i, name in enumerate(names):
            table[name] = values[:, i]
    header = ['ply', 'format binary_little_endian 1.0', f'comment {comment}']
    header.append(f'element vertex {len(table)}')
    header += [f'property {_TYPES[kind]} {name}' for name, kind in _FIELDS]
    with atomic_file(path) as file:
        file.write('\n'.join([*header, 'end_header', '']).encode('ascii'))
        file.write(table.tobytes())
