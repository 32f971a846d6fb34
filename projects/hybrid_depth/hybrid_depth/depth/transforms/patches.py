"""Ground points ordered from near to far, for language alignment."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.registry import TRANSFORMS

from ...errors import DepthDataError

DIRECTIONS = ('natural', 'released')


def pick_points(x: np.ndarray, y: np.ndarray, count: int) -> np.ndarray | None:
    """`count` points of a lane, evenly spaced from its first one on.

    Source: docs/reference/hybrid_depth.md, "Patches of a lane".

    Args:
        x: (R,) columns of a lane, negative where it has no point at a row.
        y: (R,) rows.
        count: number of points, every floor((n - 1) / (count - 1))-th.

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
    """Patches along labelled lanes: sets `patches` (P, K, 2) float32, pixels of the resized image.

    Comes after resizing. Lanes with fewer than K points are omitted.

    Args:
        num_points: K, the number of depth prompts.
        direction: 'natural': nearest (lowest) point first, as the prompts are ordered from close to
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
    """Patches along lines on level ground, nearest first: stage 1 without lane labels.

    Sets `patches` (P, K, 2) float32 in image pixels; comes after resizing. Lines on level ground
    parallel to the camera's axis meet at the vanishing point; K points are evenly spaced over the
    rows from the lower border to below the horizon. Objects on the ground do not change their
    order, as they are never nearer than the ground in front of them. Not part of Hybrid-depth,
    whose stage 1 needs labelled lanes.

    Args:
        num_points: K, the number of depth prompts.
        num_lines: number of lines per image; lines that leave the image are omitted.
        max_offset: largest lateral offset of lines from the camera's axis, in units of the camera's
            height above the ground (1.65 m in KITTI).
        horizon: row of the horizon as a fraction of the image height; None for the principal point,
            which is correct for a level camera.
        lowest: row of the nearest points as a fraction of the image height; less than 1 if the ego
            vehicle is in the image.
        gap: unused rows below the horizon, as a fraction of those between it and `lowest`.
        random: draw the lines at random, for training; else evenly spaced.

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
        # Ground depth at row y is fy * camera height / (y - cy), so a line's lateral offset in
        # camera heights determines its column.
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
