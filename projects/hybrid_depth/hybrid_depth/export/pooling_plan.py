"""Pooling plan of an exported detector from a calibration; numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .calibration import Array, Calibration, invert_affine, multiply


@dataclass(frozen=True)
class LiftSpec:
    """Discretisation of a detector's lift.

    Args:
        u: (w,) network pixel columns of the feature cells.
        v: (h,) network pixel rows.
        depths: (D,) metres at which the bins are lifted.
        x, y, z: (lower, upper, step) of the voxel grid, metres.
        rounding: ``floor`` or ``trunc``, see ``VoxelGrid``.
    """

    u: Sequence[float]
    v: Sequence[float]
    depths: Sequence[float]
    x: Sequence[float]
    y: Sequence[float]
    z: Sequence[float]
    rounding: str

    @property
    def size(self) -> tuple[int, int, int]:
        """(X, Y, Z) number of cells."""
        return tuple(int(round((hi - lo) / step)) for lo, hi, step in (self.x, self.y, self.z))


def pooling_ranks(lift: LiftSpec, calibration: Calibration) -> Array:
    """Voxel of every frustum point: ``frustum_ranks`` of ``geometry``, bit for bit.

    Args:
        lift: discretisation, of the file.
        calibration: B x N cameras.

    Returns:
        (B, N, D, h, w) int64 ``((b * Z + z) * Y + y) * X + x``, -1 outside the grid.

    Example:
        >>> axes = dict(x=(0, 20, 1), y=(-2, 2, 1), z=(-5, 3, 8))
        >>> lift = LiftSpec([32.0], [39.0], [10.0, 30.0], **axes, rounding='floor')
        >>> k = np.array([[[100.0, 0, 32], [0, 100, 24], [0, 0, 1]]])
        >>> front = np.array([[[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]]])
        >>> pooling_ranks(lift, Calibration.of(dict(cam2img=k, cam2ego=front))).ravel().tolist()
        [50, -1]
    """
    points = lifted_points(lift, calibration)
    ranks, inside = 0, True
    nx, ny, nz = lift.size
    batch = np.arange(len(calibration.cam2img)).reshape(-1, 1, 1, 1, 1)
    ranks = batch
    for axis, count, coordinate in zip(
        (lift.z, lift.y, lift.x), (nz, ny, nx), points[::-1], strict=True
    ):
        scaled = (coordinate - axis[0]) / axis[2]
        cell = (np.floor(scaled) if lift.rounding == 'floor' else np.trunc(scaled)).astype(np.int64)
        inside = inside & (cell >= 0) & (cell < count)
        ranks = ranks * count + cell
    return np.where(inside, ranks, -1)


def lifted_points(lift: LiftSpec, calibration: Calibration) -> list[Array]:
    """Ego x, y, z (B, N, D, h, w) of the frustum points, in the order of ``LiftMatrices.lift``."""
    rig = calibration
    linear = np.zeros_like(rig.img_aug)
    linear[..., :2, :2], linear[..., 2, 2] = rig.img_aug[..., :2, :2], 1
    pixel2image, origin = invert_affine(linear)[..., :2, :2], rig.img_aug[..., :2, 2]
    camera2ego = multiply(rig.cam2ego[..., :3, :3], invert_affine(rig.cam2img))
    shift = rig.cam2ego[..., :3, 3]
    bda = np.broadcast_to(rig.bda[:, None, :3, :3], camera2ego.shape)

    u = np.asarray(lift.u, np.float64) - _per_point(origin[..., 0])
    v = np.asarray(lift.v, np.float64)[:, None] - _per_point(origin[..., 1])
    depth = np.asarray(lift.depths, np.float64)[:, None, None]
    u, v = _apply(pixel2image, [u, v])
    points = _apply(camera2ego, [u * depth, v * depth, depth])
    points = [point + _per_point(shift[..., i]) for i, point in enumerate(points)]
    return _apply(bda, points)


def _per_point(values: Array) -> Array:
    """(B, N) -> (B, N, 1, 1, 1)."""
    return values[:, :, None, None, None]


def _apply(matrix: Array, point: Sequence[Array]) -> list[Array]:
    """(B, N, C, C) times C coordinates, summed from left to right."""
    result = []
    for row in range(len(point)):
        total = _per_point(matrix[..., row, 0]) * point[0]
        for column in range(1, len(point)):
            total = total + _per_point(matrix[..., row, column]) * point[column]
        result.append(total)
    return result
