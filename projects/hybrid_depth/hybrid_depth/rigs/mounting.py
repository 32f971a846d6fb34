"""Poses in the forms that people have: matrix, quaternion, roll-pitch-yaw; ROS or camera axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..calibration_checks import check_rigid
from ..datasets.poses import quaternion_to_matrix
from ..errors import DepthDataError
from .errors import RigError
from .fields import numbers, one_of

#: Keys of a pose.
POSE_KEYS = ('pose', 'position', 'quaternion', 'rpy')
#: Camera axes (x right, y down, z forward) in a frame of these axes.
AXES = dict(
    camera=np.eye(3),
    ros=np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]),  # x forward, y left, z up
    opengl=np.diag([1.0, -1, -1]),  # x right, y up, z backward
)
_FAR = 15.0  # metres from the origin of the vehicle; the longest lorries


def read_pose(value: Mapping[str, Any], where: str) -> np.ndarray:
    """(4, 4) pose from `pose` (16 or 12 numbers), or `position` and `quaternion` or `rpy`.

    Quaternions are (w, x, y, z) of length 1. `rpy` are roll, pitch and yaw in degrees, about the
    fixed axes x, y and z in this order, as in ROS (REP 103).

    Raises:
        RigError: none or several of the forms, or other numbers.
        DepthDataError: not a rotation.
    """
    matrix = np.eye(4)
    if one_of(value, ('pose', 'position'), f'{where}, pose') == 'pose':
        given = numbers(value['pose'], (12, 16), f'{where}, pose (rows of a 3x4 or 4x4 matrix)')
        matrix[: given.size // 4] = given.reshape(-1, 4)
        return check_rigid(matrix, f'{where}, pose')
    matrix[:3, 3] = numbers(value['position'], (3,), f'{where}, position (x y z, metres)')
    if one_of(value, ('quaternion', 'rpy'), f'{where}, rotation') == 'quaternion':
        matrix[:3, :3] = rotation_of(
            numbers(value['quaternion'], (4,), f'{where}, quaternion (w x y z)'), where
        )
    else:
        angles = numbers(value['rpy'], (3,), f'{where}, rpy (roll pitch yaw, degrees)')
        matrix[:3, :3] = rpy_to_matrix(angles)
    return matrix


def rotation_of(quaternion: np.ndarray, where: str) -> np.ndarray:
    """(3, 3) rotation of a quaternion (w, x, y, z).

    Raises:
        DepthDataError: its length is not 1.
    """
    length = np.linalg.norm(quaternion)
    if not abs(length - 1) < 1e-2:
        raise DepthDataError(
            f'{where}: expected a quaternion (w, x, y, z) of length 1, got '
            f'{np.asarray(quaternion).tolist()}'
        )
    return quaternion_to_matrix(quaternion)


def rpy_to_matrix(angles: np.ndarray) -> np.ndarray:
    """(3, 3) rotation of roll, pitch and yaw in degrees: R_z(yaw) R_y(pitch) R_x(roll).

    Example:
        >>> (rpy_to_matrix([0, 0, 90]).round(9) + 0).tolist()
        [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    (cr, cp, cy), (sr, sp, sy) = np.cos(np.radians(angles)), np.sin(np.radians(angles))
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def with_camera_axes(pose: np.ndarray, axes: Any, where: str) -> np.ndarray:
    """(4, 4) pose of a camera whose frame has x right, y down, z forward, from one of other axes.

    Raises:
        RigError: unknown axes.
    """
    if axes not in AXES:
        raise RigError(
            f'{where}: expected axes among {", ".join(AXES)} (ros: x forward, y left, z up; '
            f'camera: x right, y down, z forward), got {axes!r}'
        )
    turned = pose.copy()
    turned[:3, :3] = pose[:3, :3] @ AXES[axes]
    return turned


def check_mounting(pose: np.ndarray, where: str) -> np.ndarray:
    """The pose of a sensor on the vehicle.

    Raises:
        RigError: further from the vehicle's origin than a lorry is long.
    """
    if (np.abs(pose[:3, 3]) > _FAR).any():
        raise RigError(
            f'{where}: expected a position on the vehicle in metres, within {_FAR:g} m of its '
            f'origin, got {pose[:3, 3].tolist()}. Are these millimetres, or a position in the '
            'world?'
        )
    return pose
