"""Heading of a camera on the vehicle, from its images while the vehicle drives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..geometry.feature_tracks import find_corners, track
from .mounting import rpy_to_matrix
from .views import Sample, View

_TURNS = tuple(range(-165, 181, 15))  # degrees
_NEAREST, _FARTHEST = 0.15, 12.0  # metres driven between two images
_CORNERS, _FEW = 400, 25
_LARGEST = 640  # pixels; larger images are reduced
_LIMIT = 1.0  # pixels, epipolar error of a corner that agrees


@dataclass(frozen=True)
class HeadingFit:
    """Corners that agree with the motion of the vehicle if the camera's mounting is turned.

    Attributes:
        turns: degrees, counter-clockwise about the vehicle's z axis; 0 is the calibration.
        agreeing: (T,) corners that agree, of `corners`.
        corners: number tracked.
    """

    turns: tuple[int, ...]
    agreeing: np.ndarray
    corners: int

    @property
    def best(self) -> int:
        """The turn with which most corners agree."""
        return self.turns[int(self.agreeing.argmax())]

    @property
    def share(self) -> float:
        """Share of the corners that agree with the calibration."""
        return float(self.agreeing[self.turns.index(0)] / self.corners)

    @property
    def best_share(self) -> float:
        """Share of the corners that agree with the best turn."""
        return float(self.agreeing.max() / self.corners)


def fit_heading(samples: Sequence[Sample], camera: int, most: int = 8) -> HeadingFit | None:
    """Compare the flow of corners with the motion of the vehicle, under turned mountings.

    The motion between two images is known from the poses. A corner agrees with a mounting if it
    lies on its epipolar line and in front of the camera.

    Args:
        samples: in order of time.
        camera: index of the camera.
        most: largest number of pairs of images used.

    Returns:
        None if the vehicle does not drive, or too few corners are tracked.
    """
    pairs = [
        (first.views[camera], second.views[camera])
        for first, second in zip(samples, samples[1:], strict=False)
        if first.drive == second.drive and _drives(first, second)
    ]
    chosen = pairs[:: max(1, len(pairs) // most)][:most]
    agreeing, corners = np.zeros(len(_TURNS)), 0
    for first, second in chosen:
        rays = _tracked_rays(first, second)
        if rays is None:
            continue
        corners += len(rays[0])
        agreeing += [_agree(first, second, *rays, turn) for turn in _TURNS]
    return HeadingFit(_TURNS, agreeing, corners) if corners >= _FEW else None


def _drives(first: Sample, second: Sample) -> bool:
    step = np.linalg.norm(second.ego2global[:3, 3] - first.ego2global[:3, 3])
    return _NEAREST < step < _FARTHEST


def _tracked_rays(first: View, second: View) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Rays (N, 3) of corners in both images, and the limit of their error as an angle."""
    images, zoom = [], min(1.0, _LARGEST / max(first.size))
    for view in (first, second):
        grey = cv2.cvtColor(view.image(), cv2.COLOR_RGB2GRAY)
        size = (round(view.size[0] * zoom), round(view.size[1] * zoom))
        images.append(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))
    corners = find_corners(images[0], np.ones(images[0].shape, bool), 0.005, _CORNERS)
    good, moved = track(*images, corners)
    if good.sum() < _FEW:
        return None
    inverse = np.linalg.inv(np.diag([zoom, zoom, 1]) @ first.cam2img)
    rays = [
        np.concatenate([pixels[good], np.ones((int(good.sum()), 1))], 1) @ inverse.T
        for pixels in (corners, moved)
    ]
    return rays[0], rays[1], _LIMIT / (first.cam2img[0, 0] * zoom)


def _agree(
    first: View, second: View, before: np.ndarray, after: np.ndarray, limit: float, turn: int
) -> float:
    """Number of corners that agree with the motion if the mounting is turned."""
    turned = np.eye(4)
    turned[:3, :3] = rpy_to_matrix(np.array([0.0, 0.0, turn]))
    mounting = turned @ first.cam2ego
    egos = [view.cam2global @ np.linalg.inv(view.cam2ego) for view in (first, second)]
    motion = np.linalg.inv(egos[1] @ mounting) @ egos[0] @ mounting
    there = before @ motion[:3, :3].T
    step = motion[:3, 3] / np.linalg.norm(motion[:3, 3])
    normals = np.cross(np.broadcast_to(step, there.shape), there)
    lengths = np.linalg.norm(normals, axis=1) * np.linalg.norm(after, axis=1)
    error = np.abs((normals * after).sum(1)) / np.maximum(lengths, 1e-12)
    across, towards = np.cross(after, there), np.cross(after, step)
    in_front = -(across * towards).sum(1) > 0
    return float((in_front & (error < limit)).sum())
