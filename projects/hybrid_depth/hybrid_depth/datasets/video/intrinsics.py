"""Files of intrinsics beside images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...calibration_checks import check_camera
from ...errors import DamagedFileError, DepthDataError
from ...limits import TooLargeError
from ...text_files import parse_number, read_text

INTRINSICS_FILE = 'intrinsics.txt'
_FORM = '9 numbers (a 3x3 matrix) or 4 (fx fy cx cy), in pixels'


def read_intrinsics(path: str | Path) -> np.ndarray:
    """Read intrinsics (3, 3) in pixels from a file of 9 numbers, or of 4: fx fy cx cy.

    Raises:
        DepthDataError: another count of numbers, text, or not a camera.
    """
    try:
        numbers = np.array([parse_number(x) for x in read_text(path).replace(',', ' ').split()])
    except ValueError as error:
        if isinstance(error, DamagedFileError | TooLargeError):
            raise
        raise DepthDataError(f'{path}: expected numbers only, got text ({error})') from error
    if numbers.size == 9 and numbers[8] != 1:
        raise DepthDataError(
            f'{path}: expected {_FORM}; got 9 numbers that are no matrix (its last is 1). '
            'Distortion (k1, k2, ...) is not supported: undistort the images and give fx fy cx cy'
        )
    if numbers.size not in (4, 9):
        raise DepthDataError(f'{path}: expected {_FORM}; got {numbers.size}')
    matrix = numbers.reshape(3, 3) if numbers.size == 9 else pixel_matrix(numbers)
    return check_camera(matrix, str(path))


def pixel_matrix(numbers: Sequence[float]) -> np.ndarray:
    """Intrinsic matrix (3, 3) from fx, fy, cx, cy in pixels."""
    fx, fy, cx, cy = numbers
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
