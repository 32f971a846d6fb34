"""Street geometry: a smooth centre line, its cross-section and lane marks.

Street coordinates: s metres along the centre line, d metres to its left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

LANE_WIDTH = 3.5
ROAD_EDGE = 2 * LANE_WIDTH
KERB = 9.8
SIDEWALK_EDGE = 13.3
#: Spacing of the stored centre line and of the look-up grid, metres.
_STEP = 0.5
_GRID_MARGIN = 30.0

WHITE = (0.88, 0.88, 0.86)
YELLOW = (0.90, 0.72, 0.16)


@dataclass(frozen=True)
class LaneMark:
    """Lane mark at offset ``d``: dashes of ``dash`` metres, gaps of ``gap`` metres; 0 is solid."""

    d: float
    width: float
    colour: tuple
    dash: float = 1.0
    gap: float = 0.0


LANE_MARKS = (
    LaneMark(0.14, 0.13, YELLOW),
    LaneMark(-0.14, 0.13, YELLOW),
    LaneMark(LANE_WIDTH, 0.15, WHITE, dash=3.0, gap=4.5),
    LaneMark(-LANE_WIDTH, 0.15, WHITE, dash=3.0, gap=4.5),
    LaneMark(ROAD_EDGE, 0.15, WHITE),
    LaneMark(-ROAD_EDGE, 0.15, WHITE),
)


@dataclass(frozen=True)
class GroundPaint:
    """RGB colours in [0, 1] of the ground's parts, and the length of a paving tile, metres."""

    asphalt: tuple[float, float, float] = (0.30, 0.30, 0.31)
    pavement: tuple[float, float, float] = (0.52, 0.49, 0.45)
    kerb: tuple[float, float, float] = (0.66, 0.65, 0.62)
    grass: tuple[float, float, float] = (0.27, 0.36, 0.17)
    tile: float = 1.5


@dataclass(frozen=True)
class Street:
    """A centre line sampled every half metre.

    Attributes:
        s: (K,) arc length, metres.
        xy: (K, 2) world position, metres; the whole street lies in x > 0, y > 0.
        heading: (K,) direction of travel, radians, unwrapped.
        paint: look of the ground.
    """

    s: np.ndarray
    xy: np.ndarray
    heading: np.ndarray
    paint: GroundPaint = GroundPaint()

    def pose(self, s: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """World position (..., 2) and heading (...); extrapolated linearly beyond the ends."""
        heading = np.interp(s, self.s, self.heading)
        beyond = s - np.clip(s, self.s[0], self.s[-1])
        cos, sin = np.cos(heading), np.sin(heading)
        x = np.interp(s, self.s, self.xy[:, 0]) + beyond * cos - d * sin
        y = np.interp(s, self.s, self.xy[:, 1]) + beyond * sin + d * cos
        return np.stack([x, y], -1), heading

    def curvature(self, s: np.ndarray) -> np.ndarray:
        """Curvature of the centre line, 1/metre, positive to the left."""
        return np.interp(s, self.s, np.gradient(self.heading, self.s))

    @property
    def size(self) -> np.ndarray:
        """(2,) extent of the world in x and y, metres, starting at 0."""
        return self.xy.max(0) + _GRID_MARGIN

    @cached_property
    def _grid(self) -> np.ndarray:
        """(Y, X, 2) float32 street coordinates on a regular half-metre grid."""
        count = np.ceil(self.size / _STEP).astype(int) + 2
        y, x = np.meshgrid(*(np.arange(n) * _STEP for n in count[::-1]), indexing='ij')
        return (
            np.stack(self._nearest(x.ravel(), y.ravel()), -1)
            .astype(np.float32)
            .reshape(*x.shape, 2)
        )

    def _nearest(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Street coordinates: nearest coarse sample, then Newton steps along the tangent."""
        coarse = slice(None, None, 8)
        best = np.full(x.shape, np.inf, np.float32)
        s = np.zeros(x.shape)
        x32, y32 = x.astype(np.float32), y.astype(np.float32)
        for s0, (x0, y0) in zip(self.s[coarse], self.xy[coarse].astype(np.float32), strict=True):
            distance = (x32 - x0) ** 2 + (y32 - y0) ** 2
            closer = distance < best
            best[closer], s[closer] = distance[closer], s0
        for _ in range(4):
            heading = np.interp(s, self.s, self.heading)
            cos, sin = np.cos(heading), np.sin(heading)
            px = x - np.interp(s, self.s, self.xy[:, 0])
            py = y - np.interp(s, self.s, self.xy[:, 1])
            along, d = px * cos + py * sin, py * cos - px * sin
            s = s + along / np.maximum(1 - self.curvature(s) * d, 0.3)
        return s, d

    def locate(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Street coordinates (s, d) of world points by bilinear look-up, accurate to a few mm."""
        grid = self._grid
        rows, cols = grid.shape[:2]
        gx = np.clip(x / _STEP, 0, cols - 1.001)
        gy = np.clip(y / _STEP, 0, rows - 1.001)
        ix, iy = gx.astype(np.int32), gy.astype(np.int32)
        fx, fy = (gx - ix)[:, None], (gy - iy)[:, None]
        flat = grid.reshape(-1, 2)
        corner = iy * cols + ix
        top = flat[corner] * (1 - fx) + flat[corner + 1] * fx
        bottom = flat[corner + cols] * (1 - fx) + flat[corner + cols + 1] * fx
        sd = top * (1 - fy) + bottom * fy
        return sd[:, 0], sd[:, 1]


def make_street(rng: np.random.Generator, length: float) -> Street:
    """Street of ``length`` metres with alternating bends (radius 45 m and more) and straights."""
    s = np.arange(0, length + _STEP, _STEP)
    curvature = np.zeros_like(s)
    start, sign = rng.uniform(-40, 10), rng.choice([-1.0, 1.0])
    while start < length:
        bend = rng.uniform(40, 80)
        inside = (s > start) & (s < start + bend)
        bump = 0.5 - 0.5 * np.cos(2 * np.pi * (s[inside] - start) / bend)
        curvature[inside] += sign * bump / rng.uniform(45, 90)
        start, sign = start + bend + rng.uniform(5, 35), -sign
    steps = (curvature[1:] + curvature[:-1]) / 2 * _STEP
    heading = rng.uniform(-np.pi, np.pi) + np.concatenate([[0], np.cumsum(steps)])
    middle = (heading[1:] + heading[:-1]) / 2
    moves = np.stack([np.cos(middle), np.sin(middle)], -1) * _STEP
    xy = np.concatenate([np.zeros((1, 2)), np.cumsum(moves, 0)])
    return Street(s, xy - xy.min(0) + _GRID_MARGIN, heading)
