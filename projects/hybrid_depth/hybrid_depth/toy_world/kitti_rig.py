"""Sensors of KITTI's recording car of 2011_09_26: heights, distances and intrinsics.

As there, raw cameras and Velodyne are slightly rotated against the rectified cameras, which reveals
readers that omit a rotation.
"""

from __future__ import annotations

import numpy as np

from .rig_change import NO_CHANGE, RigChange
from .shapes import rotation_y, rotation_z

FRAME_SECONDS = 0.1
#: x of the centres of the four cameras in the frame of rectified camera 0, metres.
CAMERA_X = (0.0, 0.54, -0.06, 0.48)
#: HDL-64E: 32 beams at 1/3 degree spacing, below them 32 beams at 1/2 degree spacing.
VELODYNE_ELEVATIONS = np.radians(
    np.concatenate([np.linspace(-24.33, -8.83, 32), np.linspace(-8.33, 2.0, 32)])
)
VELODYNE_AZIMUTH_STEPS = 512
VELODYNE_RANGE = (0.9, 100.0)

_FULL_SIZE = (1242, 375)
_FOCAL, _CENTRE = 721.5377, (609.5593, 172.854)


def _pose(translation: tuple[float, float, float], rotation: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, translation
    return matrix


#: Rectified camera 0, level, 1.65 m above the ground; ego frame as in `scene.Scene.ego2world`.
_RECT2EGO = _pose((1.03, 0.0, 1.65), np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]))
VELO2EGO = _pose(
    (0.76, 0.0, 1.73), rotation_z(np.radians(0.42)) @ rotation_y(float(np.radians(0.85)))
)
IMU2EGO = _pose((-0.05, 0.32, 0.93), np.eye(3))
#: Unrectified to rectified camera 0.
R_RECT = rotation_y(float(np.radians(-0.43))) @ rotation_z(np.radians(0.56))


def cam2img(size: tuple[int, int], change: RigChange = NO_CHANGE) -> np.ndarray:
    """Intrinsics (3, 3) of all cameras for an image of (width, height) pixels.

    Integer coordinates are pixel centres, hence the half-pixel shift.
    """
    sx, sy = size[0] / _FULL_SIZE[0], size[1] / _FULL_SIZE[1]
    cx, cy = (_CENTRE[0] + 0.5) * sx - 0.5, (_CENTRE[1] + 0.5) * sy - 0.5
    return change.cam2img(np.array([[_FOCAL * sx, 0, cx], [0, _FOCAL * sy, cy], [0, 0, 1]]))


def cam2ego(camera: int, change: RigChange = NO_CHANGE) -> np.ndarray:
    """(4, 4) pose of a rectified camera in the ego frame."""
    return change.cam2ego(_RECT2EGO) @ _pose((CAMERA_X[camera], 0.0, 0.0), np.eye(3))


def velo2cam(change: RigChange = NO_CHANGE) -> np.ndarray:
    """(4, 4) Velodyne to unrectified camera 0, as in `calib_velo_to_cam.txt`."""
    rectified = np.linalg.inv(change.cam2ego(_RECT2EGO)) @ VELO2EGO
    return _pose((0.0, 0.0, 0.0), R_RECT.T) @ rectified


def imu2velo() -> np.ndarray:
    """(4, 4) IMU to Velodyne, as in `calib_imu_to_velo.txt`."""
    return np.linalg.inv(VELO2EGO) @ IMU2EGO
