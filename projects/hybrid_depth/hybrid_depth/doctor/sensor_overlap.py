"""Agreement of depth edges in LiDAR sweeps with intensity edges in camera images.

The edges coincide only under the right calibration, so the agreement over other rotations has a
peak there: automatic online calibration (Levinson and Thrun, Robotics: Science and Systems 2013,
section III). One keyframe with some tens of depth edges per camera is enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_JUMP = 0.5  # metres; smaller steps in range are slopes and parts of one object
_FULL_JUMP = 5.0  # metres; larger steps count no more
_NEAREST = 2.0  # metres; nearer returns are of the ego vehicle
_WIDTH = 256  # pixels; finer edges than those of this width are texture
_AREA = 31  # pixels, side of the area whose mean gradient is the unit of edges
_CHUNK = 40  # rotations at a time


@dataclass(frozen=True)
class DepthEdges:
    """Points of a sweep in front of a step in range, and others to compare with.

    Args:
        points: (E, 3) ego frame; weights: (E,).
        others: (O, 3) points without a step.
    """

    points: np.ndarray
    weights: np.ndarray
    others: np.ndarray


def depth_edges(points: np.ndarray, rings: np.ndarray, lidar2ego: np.ndarray) -> DepthEdges:
    """Depth edges of a sweep: points nearer than a neighbour on their ring.

    Args:
        points: (P, 3) LiDAR frame, metres.
        rings: (P,) number of the laser.
        lidar2ego: (4, 4).
    """
    reach = np.linalg.norm(points, axis=1)
    order = np.lexsort((np.arctan2(points[:, 1], points[:, 0]), rings))
    sorted_reach, sorted_rings = reach[order], rings[order]
    jump = np.zeros(len(points))
    for side in (1, -1):
        step = np.roll(sorted_reach, side) - sorted_reach
        same = np.roll(sorted_rings, side) == sorted_rings
        jump[order] = np.maximum(jump[order], np.where(same, step, 0))
    far = reach > _NEAREST
    edge = far & (jump > _JUMP)
    others = np.flatnonzero(far & ~edge)
    others = others[:: max(1, len(others) // max(1, edge.sum()))]
    ego = points @ lidar2ego[:3, :3].T + lidar2ego[:3, 3]
    return DepthEdges(ego[edge], np.sqrt(np.minimum(jump[edge], _FULL_JUMP)), ego[others])


def edge_image(image: np.ndarray) -> tuple[np.ndarray, float]:
    """Vertical edges of an image, in units of the mean gradient around.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (h, w) float32, and its scale w / W.
    """
    scale = _WIDTH / image.shape[1]
    size = (_WIDTH, round(image.shape[0] * scale))
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    gradient = np.abs(cv2.Sobel(grey.astype(np.float32), cv2.CV_32F, 1, 0))
    around = cv2.blur(gradient, (_AREA, _AREA))
    edges = cv2.GaussianBlur(gradient, (0, 0), 1.0) / (around + around.mean() / 4 + 1e-6)
    return edges, scale


class Agreement:
    """Mean intensity edge at depth edges less that at other points, over a set of rotations.

    Sums over keyframes with `add`.

    Args:
        rotations: (R, 3, 3) applied to points in the camera frame.
    """

    def __init__(self, rotations: np.ndarray) -> None:
        self.rotations = rotations
        self._sums = np.zeros((4, len(rotations)))

    def add(
        self,
        edges: DepthEdges,
        image: np.ndarray,
        scale: float,
        ego2cam: np.ndarray,
        cam2img: np.ndarray,
    ) -> None:
        """Add a keyframe: an `edge_image` and the camera's calibration."""
        for row, points, weights in (
            (0, edges.points, edges.weights),
            (2, edges.others, np.ones(len(edges.others))),
        ):
            local = (points @ ego2cam[:3, :3].T + ego2cam[:3, 3]).T
            for first in range(0, len(self.rotations), _CHUNK):
                part = slice(first, first + _CHUNK)
                u, v, depth = np.moveaxis(cam2img @ self.rotations[part] @ local, 1, 0)
                values, visible = _sampled(image, u, v, depth, scale)
                self._sums[row, part] += values @ weights
                self._sums[row + 1, part] += visible @ weights

    @property
    def scores(self) -> np.ndarray:
        """(R,) agreement, NaN where the image has no points."""
        with np.errstate(divide='ignore', invalid='ignore'):
            return self._sums[0] / self._sums[1] - self._sums[2] / self._sums[3]

    @property
    def seen(self) -> np.ndarray:
        """(R,) weight of the depth edges in the image."""
        return self._sums[1]


def _sampled(
    image: np.ndarray, u: np.ndarray, v: np.ndarray, depth: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Values of an image at homogeneous pixels (0 outside), and which are inside."""
    height, width = image.shape
    safe = np.maximum(depth, 1e-3) / scale
    columns, rows = np.round(u / safe), np.round(v / safe)
    inside = (depth > 1) & (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    columns, rows = (np.where(inside, axis, 0).astype(np.int32) for axis in (columns, rows))
    return np.where(inside, image[rows, columns], 0), inside
