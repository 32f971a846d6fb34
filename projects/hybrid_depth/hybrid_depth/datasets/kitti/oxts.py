"""Camera motion of KITTI raw from GPS and IMU (`oxts`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...calibration_checks import check_rigid
from ...errors import DepthDataError
from ...text_files import parse_number, read_text
from .calibration import KittiCalibration, matrix_entry, read_calibration_file

_EARTH_RADIUS = 6378137.0  # metres
_FIELDS = 30


def imu_motion(now: str | Path, then: str | Path) -> np.ndarray:
    """(4, 4) IMU frame at one time to that at another, metres (x forward, y left, z up).

    Positions by Mercator projection with the scale of the first latitude, as in the devkit
    (github.com/utiasSTARS/pykitti, pykitti/utils.py).

    Args:
        now, then: files of `oxts/data`.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: not the 30 numbers of GPS and IMU.
    """
    first, second = _read(Path(now)), _read(Path(then))
    scale = np.cos(np.radians(first[0])) * _EARTH_RADIUS
    return np.linalg.inv(_pose(second, scale)) @ _pose(first, scale)


def _read(path: Path) -> np.ndarray:
    """Latitude, longitude (degrees), altitude (metres), roll, pitch, yaw (radians)."""
    if not path.is_file():
        raise FileNotFoundError(
            f'expected GPS and IMU in {path}, which does not exist. They are in the archive of the '
            'drive; without them: ego_motion=False'
        )
    try:
        numbers = np.array([parse_number(number) for number in read_text(path).split()])
    except ValueError as error:
        raise DepthDataError(f'{path}: expected {_FIELDS} numbers, got {error}') from error
    if len(numbers) != _FIELDS or not np.isfinite(numbers[:6]).all():
        raise DepthDataError(
            f'{path}: expected {_FIELDS} finite numbers, got {len(numbers)}, first '
            f'{numbers[:6].tolist()}'
        )
    return numbers[:6]


def _pose(oxts: np.ndarray, scale: float) -> np.ndarray:
    """(4, 4) IMU to east, north and up, metres."""
    latitude, longitude, altitude, roll, pitch, yaw = oxts
    pose = np.eye(4)
    pose[0, 3] = scale * np.radians(longitude)
    pose[1, 3] = scale * np.log(np.tan(np.radians(90 + latitude) / 2))
    pose[2, 3] = altitude
    (cr, cp, cy), (sr, sp, sy) = np.cos([roll, pitch, yaw]), np.sin([roll, pitch, yaw])
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    pose[:3, :3] = about_z @ about_y @ about_x
    return pose


def imu_to_camera(day: str | Path, calibration: KittiCalibration, camera: int) -> np.ndarray:
    """(4, 4) IMU to a rectified camera, metres.

    Args:
        day: folder of the day, with `calib_imu_to_velo.txt`.
        calibration: of the day.
        camera: number of the camera.

    Raises:
        FileNotFoundError, DepthDataError: see `read_calibration_file`; also no rigid motion.
    """
    path = Path(day, 'calib_imu_to_velo.txt')
    mount = read_calibration_file(path)
    imu_to_velo, rectification, shift = np.eye(4), np.eye(4), np.eye(4)
    imu_to_velo[:3, :3] = matrix_entry(mount, 'R', (3, 3), path)
    imu_to_velo[:3, 3] = matrix_entry(mount, 'T', (3,), path)
    rectification[:3, :3] = calibration.rectification
    projection = calibration.projections[camera]
    shift[:3, 3] = np.linalg.solve(projection[:, :3], projection[:, 3])
    rigid = check_rigid(imu_to_velo, f'{path}, R and T')
    return shift @ rectification @ calibration.velo_to_cam @ rigid
