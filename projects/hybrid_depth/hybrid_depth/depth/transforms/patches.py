"""Points on the ground in the order of sentences about depth, for language alignment."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.registry import TRANSFORMS

from ...errors import DepthDataError

DIRECTIONS = ('natural', 'released')


def pick_points(x: np.ndarray, y: np.ndarray, count: int) -> np.ndarray | None:
    """`count` points of a lane, evenly spread from its first one on.

    Source: docs/reference/hybrid_depth.md, "Patches of a lane".

    Args:
        x: (R,) a lane's columns, negative where it has no point at a row.
        y: (R,) its rows.
        count: points to take, every floor((n - 1) / (count - 1))-th.

    Returns:
        (count, 2) x and y; None for a lane of fewer points.
    """
    points = np.stack([x, y], axis=-1)[x >= 0]
    if len(points) < count:
        return None
    step = max((len(points) - 1) // max(count - 1, 1), 1)
    return points[: count * step : step]


@TRANSFORMS.register_module()
class LanePatches:
    """Points along labelled lanes: sets `patches` (P, K, 2) float32, pixels of the resized image.

    Stands after resizing. Lanes with fewer than K points are left out.

    Args:
        num_points: K, the number of sentences.
        direction: 'natural': nearest (lowest) point first, as the sentences go from close to
            distant. 'released': in file order, which is farthest first in TuSimple's labels, with
            columns scaled by the factor of the rows (docs/reference/hybrid_depth.md,
            "Patches of a lane"); for parity.

    Raises:
        DepthDataError: unknown direction, or a sample without lanes.
    """

    def __init__(self, num_points: int = 7, direction: str = 'natural'):
        if direction not in DIRECTIONS:
            raise DepthDataError(f'expected direction {" or ".join(DIRECTIONS)}, got {direction!r}')
        self.num_points = num_points
        self.direction = direction

    def __call__(self, results: dict) -> dict:
        if 'lanes' not in results:
            raise DepthDataError(
                f'LanePatches: expected lanes in the sample, got {sorted(results)}; use '
                'TuSimpleLaneDataset, or GroundPatches for images without labels'
            )
        lanes, rows = results['lanes'], results['lane_rows']
        (old_height, old_width), (height, width) = results['ori_shape'], results['img_shape']
        scale = np.array([width / old_width, height / old_height], np.float32)
        if self.direction == 'released':
            scale[0] = scale[1]
        else:
            order = np.argsort(-rows)
            lanes, rows = lanes[:, order], rows[order]
        lines = [pick_points(lane, rows, self.num_points) for lane in lanes]
        lines = [line * scale for line in lines if line is not None]
        return dict(results, patches=_as_lines(lines, self.num_points))


@TRANSFORMS.register_module()
class GroundPatches:
    """Points up the ground of any driving image, nearest first: stage 1 without lane labels.

    Sets `patches` (P, K, 2) float32 in pixels of the image; stands after resizing. A line on a
    level ground that is parallel to the camera's axis runs to the vanishing point; K points are
    spread evenly over the rows from the lower border to below the horizon. What stands on the
    ground keeps their order, as it is nowhere nearer than the ground in front of it. Not part of
    Hybrid-depth, whose stage 1 needs labelled lanes.

    Args:
        num_points: K, the number of sentences.
        num_lines: lines to draw an image; one that leaves the image is left out.
        max_offset: how far lines are from the camera's axis at most, sideways, in units of the
            camera's height above the ground (1.65 m in KITTI).
        horizon: its row as a fraction of the image's height; None for the camera's principal
            point, which is right for a camera that looks straight ahead.
        lowest: row of the nearest points as a fraction of the image's height; less than 1 where
            the own car is in the image.
        gap: rows left free below the horizon, as a fraction of those between it and `lowest`.
        random: draw the lines anew each time, for training; else evenly spread.

    Raises:
        DepthDataError: a sample without camera, or no ground between `lowest` and the horizon.
    """

    def __init__(
        self,
        num_points: int = 7,
        num_lines: int = 4,
        max_offset: float = 2.0,
        horizon: float | None = None,
        lowest: float = 1.0,
        gap: float = 0.1,
        random: bool = True,
    ):
        self.num_points, self.num_lines, self.max_offset = num_points, num_lines, max_offset
        self.horizon, self.lowest, self.gap = horizon, lowest, gap
        self.random = random

    def __call__(self, results: dict) -> dict:
        if 'cam2img' not in results:
            raise DepthDataError(
                f'GroundPatches: expected cam2img of the resized image, got {sorted(results)}; '
                'use a data set with a camera, and ResizeFrames before it'
            )
        (fx, _, cx), (_, fy, cy) = results['cam2img'][:2]
        height, width = results['img_shape']
        if self.horizon is not None:
            cy = self.horizon * height
        nearest = self.lowest * (height - 1)
        if nearest - cy < self.num_points:
            raise DepthDataError(
                f'GroundPatches: expected at least {self.num_points} rows of ground, got row '
                f'{nearest:.0f} as the lowest and the horizon at {cy:.0f}; set horizon and lowest'
            )
        rows = np.linspace(nearest, cy + self.gap * (nearest - cy), self.num_points)
        # Of the ground at row y: depth = fy * camera height / (y - cy), so that a line's
        # distance to the axis in camera heights gives its column.
        columns = cx + self._offsets()[:, None] * fx / fy * (rows - cy)
        lines = np.stack([columns, np.broadcast_to(rows, columns.shape)], axis=-1)
        inside = ((columns >= 0) & (columns <= width - 1)).all(axis=1)
        return dict(results, patches=_as_lines(list(lines[inside]), self.num_points))

    def _offsets(self) -> np.ndarray:
        if self.random:
            return self.max_offset * (2 * torch.rand(self.num_lines).numpy() - 1)
        return self.max_offset * ((2 * np.arange(self.num_lines) + 1) / self.num_lines - 1)


def _as_lines(lines: list[np.ndarray], num_points: int) -> np.ndarray:
    return np.array(lines, np.float32).reshape(-1, num_points, 2)
