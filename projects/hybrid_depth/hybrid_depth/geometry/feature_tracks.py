"""Corners followed from one image to another."""

from __future__ import annotations

import cv2
import numpy as np

_WINDOW = dict(winSize=(15, 15), maxLevel=3)
_RETURN = 0.3  # pixels, largest distance between a corner and where it is tracked back to


def find_corners(image: np.ndarray, mask: np.ndarray, quality: float, most: int) -> np.ndarray:
    """(N, 2) corners (u, v) in a mask, spread over the image.

    Args:
        image: (H, W) uint8.
        mask: (H, W) bool.
        quality: smallest response of a corner, relative to the strongest one.
        most: largest number.
    """
    inside = cv2.erode(mask.astype(np.uint8), np.ones((9, 9), np.uint8))
    corners = cv2.goodFeaturesToTrack(image, most, quality, 7, mask=inside)
    return np.zeros((0, 2)) if corners is None else corners[:, 0].astype(np.float64)


def track(
    image: np.ndarray, other: np.ndarray, corners: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of corners in another image, by the method of Lucas and Kanade on a pyramid.

    Returns:
        (N,) bool, tracked there and back, and (N, 2) positions.
    """
    if not len(corners):
        return np.zeros(0, bool), corners
    start = corners.astype(np.float32)[:, None]
    there, found, _ = cv2.calcOpticalFlowPyrLK(image, other, start, None, **_WINDOW)
    back, again, _ = cv2.calcOpticalFlowPyrLK(other, image, there, None, **_WINDOW)
    returned = np.linalg.norm(back - start, axis=-1)[:, 0] <= _RETURN
    return returned & (found[:, 0] > 0) & (again[:, 0] > 0), there[:, 0].astype(np.float64)


def track_warped(
    image: np.ndarray, other: np.ndarray, corners: np.ndarray, homography: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """As `track`, of a plane whose expected homography from image to other is known.

    The other image is warped by it first, so that patches keep their shape.
    """
    size = image.shape[::-1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(other, homography, size, flags=flags, borderValue=0)
    seen = cv2.warpPerspective(np.full_like(other, 255), homography, size, flags=flags)
    seen = cv2.erode(seen, np.ones((15, 15), np.uint8)) == 255
    good, moved = track(image, warped, corners)
    u, v = corners.round().astype(int).T
    return good & seen[v, u], project(homography, moved)


def project(matrix: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """(N, 2) pixels mapped by a homography (3, 3)."""
    mapped = np.concatenate((pixels, np.ones((len(pixels), 1))), 1) @ matrix.T
    return mapped[:, :2] / mapped[:, 2:]
