"""Length of a camera's motion, in heights of the camera, from the texture of the road."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from .camera_motion import CameraMotion
from .feature_tracks import project

_LENGTHS = np.geomspace(0.15, 8, 70)  # heights of the camera
_BLUR = 4.0  # pixels, as much as the steps of the lengths move the road
_DIFFERENT = 12.0  # grey levels, that count as a complete difference
_EDGE = 1.5  # grey levels per pixel, least gradient of a pixel that is compared
_MOST = 5000  # pixels


def search_length(
    motion: CameraMotion, image: np.ndarray, other: np.ndarray, road: np.ndarray, plane: np.ndarray
) -> CameraMotion:
    """The motion with the length that explains most of what changes on the road.

    Only changes count: vehicles ahead and their shadows, which hardly move in the image, look as if
    the camera stood, and would outvote the road.

    Args:
        motion: of any length.
        image: (H, W) uint8.
        other: the second image.
        road: (H, W) bool.
        plane: (3,) expected q, 1 / metres.
    """
    smooth, moved = (cv2.GaussianBlur(x.astype(np.float32), (0, 0), _BLUR) for x in (image, other))
    rows, columns = np.nonzero(road & (_gradient(image) > _EDGE))
    if not len(rows):
        return motion
    chosen = np.random.default_rng(0).permutation(len(rows))[:_MOST]
    pixels = np.stack((columns, rows), 1)[chosen].astype(np.float64)
    grey = smooth[rows[chosen], columns[chosen]]
    unit = motion.translation / np.linalg.norm(motion.translation) / np.linalg.norm(plane)

    def difference(length: float) -> np.ndarray:
        at = project(replace(motion, translation=unit * length).homography(plane), pixels)
        maps = at.astype(np.float32)[None]
        seen = cv2.remap(moved, maps, None, cv2.INTER_LINEAR, borderValue=np.nan)[0]
        error = seen - grey
        error -= np.nanmedian(error) if np.isfinite(error).any() else 0  # exposure
        return np.minimum(np.abs(np.nan_to_num(error, nan=_DIFFERENT)), _DIFFERENT)

    standing = difference(0.0)
    gains = [np.maximum(standing - difference(x), 0).sum() for x in _LENGTHS]
    return replace(motion, translation=unit * _LENGTHS[int(np.argmax(gains))])


def _gradient(image: np.ndarray) -> np.ndarray:
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 1.0)
    return np.hypot(*np.gradient(smooth))
