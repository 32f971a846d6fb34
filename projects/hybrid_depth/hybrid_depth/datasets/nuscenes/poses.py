"""Poses in nuScenes tables."""

from __future__ import annotations

import numpy as np
from pyquaternion import Quaternion

from ...calibration_checks import check_rigid
from ...errors import DepthDataError

_LENGTH_TOLERANCE = 2e-3  # of quaternions; half precision is 1e-3 off


def check_rotation(rotation: object, source: str) -> Quaternion:
    """Unit quaternion (w, x, y, z) of a row.

    Raises:
        DepthDataError: other numbers.
    """
    try:
        numbers = np.asarray(rotation, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    length = np.linalg.norm(numbers)
    if numbers.shape != (4,) or not abs(length - 1) < _LENGTH_TOLERANCE:
        raise DepthDataError(
            f'{source}: expected as rotation a quaternion (w, x, y, z) of length 1, got '
            f'{rotation}; unpack or convert the tables again'
        )
    return Quaternion(numbers)


def rigid_matrix(record: dict, source: str) -> np.ndarray:
    """(4, 4) float64 transform of a row of `calibrated_sensor` or `ego_pose`.

    Args:
        record: the row, with `rotation` and `translation`.
        source: table and token, for the error.

    Raises:
        DepthDataError: no rotation and translation.
    """
    pose = check_rotation(record['rotation'], source).transformation_matrix
    try:
        pose[:3, 3] = record['translation']
    except (TypeError, ValueError) as error:
        raise DepthDataError(
            f'{source}: expected as translation three numbers, got {record["translation"]}'
        ) from error
    return check_rigid(pose, source)
