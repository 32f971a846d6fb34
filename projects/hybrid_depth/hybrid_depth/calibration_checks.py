"""Checks of cameras, poses and boxes, where they are read and where they are written."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .errors import DepthDataError

# Of the product of a rotation with its transpose: numbers of half precision are off by 2e-3, a
# rotation scaled by 1 % by 2e-2.
_ROTATION_TOLERANCE = 5e-3
_FARTHEST = 1e8  # metres; global coordinates have up to 1e7 (UTM)
_WIDEST_VIEW, _NARROWEST_VIEW = 170.0, 5.0  # degrees, plausible range of a pinhole camera
# Principal points of cameras are within 5 % of the middle column. A matrix of half the size, or of
# twice the size, is at least 25 % off.
_OFF_CENTRE = 0.2


def check_camera(cam2img: Any, source: str, size: tuple[int, int] | None = None) -> np.ndarray:
    """Check the intrinsic matrix of a pinhole camera.

    Args:
        cam2img: (3, 3) in pixels of the image.
        source: file, sample and camera, for the error.
        size: (width, height) of the image; None if unknown.

    Returns:
        The matrix as float64.

    Raises:
        DepthDataError: not a finite matrix of a pinhole camera; with a size also relative numbers,
            the matrix of another image size, or an impossible angle of view.

    Example:
        >>> check_camera([[721.5, 0, 609.6], [0, 721.5, 172.9], [0, 0, 1]], 'CAM', (1242, 375))[0]
        array([721.5,   0. , 609.6])
    """
    matrix = _numbers(cam2img, (3, 3), source, 'intrinsics')
    (fx, skew, cx), (zero, fy, cy) = matrix[:2]
    got = f'{source}: fx {fx:g}, fy {fy:g}, cx {cx:g}, cy {cy:g}'
    if min(fx, fy) <= 0:
        raise DepthDataError(f'{got}: expected positive focal lengths (y points down)')
    if not np.allclose(matrix[2], (0, 0, 1), atol=1e-6) or max(abs(zero), abs(skew)) > 0.01 * fx:
        raise DepthDataError(
            f'{source}: expected intrinsics [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], got '
            f'{matrix.tolist()}'
        )
    if size is not None:
        _check_view(matrix, size, f'{got} for {size[0]}x{size[1]} pixels')
    return matrix


def _check_view(matrix: np.ndarray, size: tuple[int, int], got: str) -> None:
    """Raises DepthDataError unless the matrix can be of an image of (width, height) pixels."""
    cx, cy = matrix[:2, 2]
    if max(abs(cx), abs(cy)) <= 2 and max(size) > 4:
        raise DepthDataError(
            f'{got}: expected pixels, got numbers relative to the size; multiply the first row by '
            'the width and the second by the height'
        )
    if abs(cx / size[0] - 0.5) > _OFF_CENTRE or not 0 < cy < size[1]:
        raise DepthDataError(
            f'{got}: expected the centre near the middle of the image. Is the matrix that of '
            'another size, or are width and height swapped?'
        )
    for name, angle in zip(('horizontal', 'vertical'), field_of_view(matrix, size), strict=True):
        if not _NARROWEST_VIEW < angle < _WIDEST_VIEW:
            raise DepthDataError(f'{got}: a {name} angle of view of {angle:.1f} degrees')


def field_of_view(cam2img: np.ndarray, size: tuple[int, int]) -> tuple[float, float]:
    """Horizontal and vertical angle of view, degrees, of an image of (width, height) pixels.

    Example:
        >>> field_of_view(np.array([[50.0, 0, 50], [0, 50, 50], [0, 0, 1]]), (100, 100))
        (90.0, 90.0)
    """
    angles = []
    for axis in (0, 1):
        focal, centre = cam2img[axis, axis], cam2img[axis, 2]
        angles.append(math.atan2(centre, focal) + math.atan2(size[axis] - centre, focal))
    return math.degrees(angles[0]), math.degrees(angles[1])


def check_image_size(got: tuple[int, int], expected: tuple[int, int], source: str) -> None:
    """Check an image's (width, height) against that of its calibration.

    Raises:
        DepthDataError: they differ.
    """
    if tuple(got) != tuple(expected):
        raise DepthDataError(
            f'{source}: expected {expected[0]}x{expected[1]} pixels, as its calibration, got '
            f'{got[0]}x{got[1]}. Use the images that the calibration belongs to, or scale the '
            'intrinsics with them'
        )


def check_rigid(transform: Any, source: str) -> np.ndarray:
    """Check rigid transforms: rotation matrices without scale or mirror image, and translations.

    Args:
        transform: (..., 4, 4), metres.
        source: file and sample, for the error.

    Returns:
        The transforms as float64.

    Raises:
        DepthDataError: not finite, not a rotation, a translation beyond 1e8 m, or another last row
            than (0, 0, 0, 1).

    Example:
        >>> check_rigid(np.diag([2.0, 2, 2, 1]), 'pose of frame 3')
        Traceback (most recent call last):
        hybrid_depth.errors.DepthDataError: pose of frame 3: expected a rotation, got a matrix...
    """
    matrix = _numbers(transform, (4, 4), source, 'a rigid transform')
    rotation = matrix[..., :3, :3]
    error = np.abs(rotation @ np.swapaxes(rotation, -1, -2) - np.eye(3)).max((-1, -2))
    skewed = error > _ROTATION_TOLERANCE
    if skewed.any() or (np.linalg.det(rotation) < 0).any():
        got = f'a matrix that is off by {error.max():.2g}' if skewed.any() else 'a mirror image'
        raise DepthDataError(
            f'{source}{_first(skewed)}: expected a rotation, got {got}. Matrices are row-major; '
            'quaternions are (w, x, y, z) of length 1'
        )
    last = matrix[..., 3, :] - (0, 0, 0, 1)
    if (np.abs(last) > 1e-6).any() or (np.abs(matrix[..., :3, 3]) > _FARTHEST).any():
        raise DepthDataError(
            f'{source}: expected a translation in metres in the last column and a last row '
            f'0 0 0 1, got {matrix.reshape(-1, 4, 4)[0].tolist()}'
        )
    return matrix


def _first(wrong: np.ndarray) -> str:
    """Index of the first of several that is wrong."""
    places = np.flatnonzero(wrong)
    return f', number {places[0]}' if np.ndim(wrong) and len(places) else ''


def check_boxes(boxes: np.ndarray) -> np.ndarray:
    """Which boxes can be used: finite numbers and positive sizes.

    Args:
        boxes: (M, 7 or more) centre, size, yaw and what follows except the velocity.

    Returns:
        (M,) bool. The caller counts and reports the others.

    Example:
        >>> check_boxes(np.array([[5.0, 0, 1, 4, 2, 1.5, 0], [5.0, 0, 1, 4, 0, 1.5, 0]]))
        array([ True, False])
    """
    return np.isfinite(boxes).all(1) & (boxes[:, 3:6] > 0).all(1)


def known_velocities(velocities: np.ndarray) -> np.ndarray:
    """(M,) bool: velocities (M, 2) that are known. One with a single NaN is unknown as a whole.

    Example:
        >>> known_velocities(np.array([[1.0, 0], [np.nan, np.nan], [3.0, np.nan]]))
        array([ True, False, False])
    """
    return np.isfinite(velocities).all(1)


def _numbers(values: Any, shape: tuple[int, int], source: str, what: str) -> np.ndarray:
    """Values as a finite float64 array of that shape, after any leading axes."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DepthDataError(f'{source}: expected {what} {shape}, got {error}') from error
    if array.shape[-2:] != shape or (shape == (3, 3) and array.ndim != 2):
        raise DepthDataError(f'{source}: expected {what} {shape}, got shape {array.shape}')
    finite = np.isfinite(array).all((-1, -2))
    if not finite.all():
        raise DepthDataError(
            f'{source}{_first(~finite)}: expected finite numbers in {what}, got NaN or infinity'
        )
    return array
