"""Grids of rays with one origin: pinhole camera and spinning LiDAR.

Both have separable directions in the sensor frame,
direction(row, col) = row_scale[row] * cols[:, col] + rows[:, row],
so the directions of a window in the frame of any part are two small products and one sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_NEAR = 0.05
_EDGES = np.array([(a, a | 1 << k) for k in range(3) for a in range(8) if not a >> k & 1])


def rotate(rotation: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(3, 3) matrix, or (3, 3, N) one for each vector, times (3, N) vectors.

    Explicit sums are faster than ``einsum`` and round identically on every CPU.
    """
    x, y, z = vectors
    return np.stack([a * x + b * y + c * z for a, b, c in rotation])


@dataclass(frozen=True)
class RayGrid:
    """Grid of rays with one origin.

    Attributes:
        origin: (3,) position in the world, metres.
        rotation: (3, 3) sensor axes to world axes.
        cols: (3, W) column part of the directions, sensor frame.
        rows: (3, H) row part of the directions, sensor frame.
        row_scale: (H,) factor of the column part.
        spread: width of a ray at unit distance, for texture filtering.
        spinning: whether columns are azimuths that wrap around.
    """

    origin: np.ndarray
    rotation: np.ndarray
    cols: np.ndarray
    rows: np.ndarray
    row_scale: np.ndarray
    spread: float
    spinning: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows.shape[1], self.cols.shape[1]

    def directions(self, row: np.ndarray, col: np.ndarray) -> np.ndarray:
        """(3, N) directions in world axes of the rays at grid positions."""
        local = self.row_scale[row] * self.cols[:, col] + self.rows[:, row]
        return rotate(self.rotation.astype(local.dtype), local)

    def windows(self, corners: np.ndarray) -> np.ndarray:
        """Smallest windows that contain every ray that meets a box.

        Args:
            corners: (P, 8, 3) corners of boxes, world frame, numbered by the bits of their signs.

        Returns:
            (P, 4) row and column bounds (r0, r1, c0, c1), empty where r0 >= r1 or c0 >= c1. For
            a spinning sensor c1 may exceed W: the window wraps around.
        """
        local = np.einsum('pki,ij->pkj', corners - self.origin, self.rotation)
        return self._azimuth_windows(local) if self.spinning else self._image_windows(local)

    def _image_windows(self, local: np.ndarray) -> np.ndarray:
        start, end = local[:, _EDGES[:, 0]], local[:, _EDGES[:, 1]]
        with np.errstate(divide='ignore', invalid='ignore'):
            ratio = (_NEAR - start[..., 2]) / (end[..., 2] - start[..., 2])
            cut = start + ratio[..., None] * (end - start)
            points = np.concatenate([local, cut], 1)
            valid = np.concatenate([local[..., 2] >= _NEAR, (ratio > 0) & (ratio < 1)], 1)
            slopes = points[..., :2] / points[..., 2:]
        low = np.where(valid[..., None], slopes, np.inf).min(1)
        high = np.where(valid[..., None], slopes, -np.inf).max(1)
        c0, c1 = (
            np.searchsorted(self.cols[0], v, side)
            for v, side in ((low[:, 0], 'left'), (high[:, 0], 'right'))
        )
        r0, r1 = (
            np.searchsorted(self.rows[1], v, side)
            for v, side in ((low[:, 1], 'left'), (high[:, 1], 'right'))
        )
        return np.stack([r0, r1, c0, c1], -1)

    def _azimuth_windows(self, local: np.ndarray) -> np.ndarray:
        height, width = self.shape
        centre = local.mean(1)
        reach = np.hypot(*np.moveaxis(local - centre[:, None], -1, 0)[:2]).max(1)
        distance = np.hypot(centre[:, 0], centre[:, 1])
        middle = np.arctan2(centre[:, 1], centre[:, 0])
        turn = np.arctan2(local[..., 1], local[..., 0]) - middle[:, None]
        turn = (turn + np.pi) % (2 * np.pi) - np.pi
        around = distance <= reach
        step = 2 * np.pi / width
        first = np.where(around, 0, np.floor((middle + turn.min(1)) % (2 * np.pi) / step)).astype(
            int
        )
        count = np.where(around, width, np.ceil((turn.max(1) - turn.min(1)) / step).astype(int) + 2)
        near, far = np.maximum(distance - reach, 1e-3), distance + reach
        low, high = local[..., 2].min(1), local[..., 2].max(1)
        slope_low = low / np.where(low < 0, near, far)
        slope_high = high / np.where(high > 0, near, far)
        slopes = self.rows[2] / self.row_scale
        r0, r1 = (
            np.searchsorted(slopes, slope_low, 'left'),
            np.searchsorted(slopes, slope_high, 'right'),
        )
        return np.stack([r0, r1, first, first + np.minimum(count, width)], -1)


def pinhole(
    cam2world: np.ndarray, cam2img: np.ndarray, size: tuple[int, int], dtype=np.float32
) -> RayGrid:
    """Rays through the pixel centres of an image; the ray parameter is the camera depth.

    Args:
        cam2world: (4, 4) camera (x right, y down, z forward) to world.
        cam2img: (3, 3) intrinsics without skew; integer pixel coordinates are pixel centres.
        size: width and height in pixels.
    """
    width, height = size
    x = (np.arange(width) - cam2img[0, 2]) / cam2img[0, 0]
    y = (np.arange(height) - cam2img[1, 2]) / cam2img[1, 1]
    cols = np.stack([x, np.zeros(width), np.zeros(width)]).astype(dtype)
    rows = np.stack([np.zeros(height), y, np.ones(height)]).astype(dtype)
    scale = np.ones(height, dtype)
    spread = 1 / float(cam2img[0, 0])
    return RayGrid(cam2world[:3, 3], cam2world[:3, :3], cols, rows, scale, spread, False)


def spinning(lidar2world: np.ndarray, elevations: np.ndarray, azimuth_steps: int) -> RayGrid:
    """Rays of a spinning LiDAR; the ray parameter is the range.

    Args:
        lidar2world: (4, 4) LiDAR (z up) to world.
        elevations: (H,) ascending ring elevations, radians.
        azimuth_steps: number of columns; column k has azimuth 2 pi k / steps from x towards y.
    """
    azimuth = np.arange(azimuth_steps) * (2 * np.pi / azimuth_steps)
    zero = np.zeros(azimuth_steps)
    cols = np.stack([np.cos(azimuth), np.sin(azimuth), zero])
    rows = np.stack([np.zeros_like(elevations), np.zeros_like(elevations), np.sin(elevations)])
    return RayGrid(
        lidar2world[:3, 3], lidar2world[:3, :3], cols, rows, np.cos(elevations), 0.0, True
    )
