"""Text files of a KITTI raw tree: calibration, time stamps, GPS and IMU readings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np

from . import kitti_rig
from .scene import Scene
from .world import World

_FIRST_STAMP = datetime(2018, 7, 24, 10, 0, 0)
_SCENE_GAP = timedelta(minutes=10)
_MADE = 'calib_time: 24-Jul-2018 09:00:00'
_EARTH_RADIUS = 6378137.0
_START_LATITUDE, _START_LONGITUDE, _ALTITUDE = 49.0, 8.4, 115.0
#: Half the time step of finite differences for velocity and acceleration, seconds.
_STEP = 0.1


def _line(name: str, numbers: Iterable[float]) -> str:
    return f'{name}: ' + ' '.join(f'{number:.12e}' for number in np.ravel(numbers))


def camera_calibration(world: World) -> str:
    """`calib_cam_to_cam.txt`: four cameras without distortion."""
    size, intrinsics = world.size, kitti_rig.cam2img(world.size, world.rig)
    lines = [_MADE, _line('corner_dist', [0.0995])]
    for camera, x in enumerate(kitti_rig.CAMERA_X):
        offset = np.array([-x, 0, 0])
        projection = intrinsics @ np.column_stack([np.eye(3), offset])
        entries = dict(
            S=size,
            K=intrinsics,
            D=np.zeros(5),
            R=np.eye(3),
            T=kitti_rig.R_RECT.T @ offset,
            S_rect=size,
            R_rect=kitti_rig.R_RECT,
            P_rect=projection,
        )
        lines += [_line(f'{name}_{camera:02d}', value) for name, value in entries.items()]
    return '\n'.join(lines) + '\n'


def mount_calibration(matrix: np.ndarray) -> str:
    """`calib_velo_to_cam.txt` or `calib_imu_to_velo.txt` of a rigid (4, 4) matrix."""
    return '\n'.join([_MADE, _line('R', matrix[:3, :3]), _line('T', matrix[:3, 3]), ''])


def timestamps(index: int, frames: int) -> str:
    """`timestamps.txt` of a drive: one line per frame, in nanoseconds."""
    start = _FIRST_STAMP + index * _SCENE_GAP
    stamps = [start + frame * timedelta(seconds=kitti_rig.FRAME_SECONDS) for frame in range(frames)]
    return ''.join(f'{stamp:%Y-%m-%d %H:%M:%S.%f}000\n' for stamp in stamps)


def oxts(scene: Scene, time: float) -> str:
    """One line of GPS and IMU: the 30 numbers of KITTI's `dataformat.txt`.

    Position is exact under the devkit's Mercator projection with the scale of the drive's first
    frame; world x is east and y is north.
    """
    pose, start = _imu2world(scene, time), _imu2world(scene, 0.0)
    before, after = _imu2world(scene, time - _STEP), _imu2world(scene, time + _STEP)
    position = [p[:3, 3] for p in (before, pose, after)]
    velocity = (position[2] - position[0]) / (2 * _STEP)
    acceleration = (position[2] - 2 * position[1] + position[0]) / _STEP**2
    yaw = _yaw(pose)
    turn = _wrap(_yaw(after) - _yaw(before)) / (2 * _STEP)
    forward, left, _ = pose[:3, :3].T @ velocity
    along, aside, _ = pose[:3, :3].T @ acceleration
    latitude, longitude = _geographic(pose[:2, 3] - start[:2, 3])
    numbers = [latitude, longitude, _ALTITUDE + pose[2, 3], 0.0, 0.0, yaw]
    numbers += [velocity[1], velocity[0], forward, left, 0.0]
    numbers += [along, aside, 9.81, along, aside, 9.81]
    numbers += [0.0, 0.0, turn, 0.0, 0.0, turn]
    numbers += [0.05, 0.01]
    return ' '.join([*(f'{number:.14g}' for number in numbers), '4', '10', '4', '4', '0']) + '\n'


def _imu2world(scene: Scene, time: float) -> np.ndarray:
    return scene.ego2world(time) @ kitti_rig.IMU2EGO


def _yaw(pose: np.ndarray) -> float:
    return float(np.arctan2(pose[1, 0], pose[0, 0]))


def _wrap(angle: float) -> float:
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _geographic(offset: np.ndarray) -> tuple[float, float]:
    """Latitude and longitude, degrees, of an offset east and north of the start, metres."""
    metres = np.cos(np.radians(_START_LATITUDE)) * _EARTH_RADIUS
    start = np.log(np.tan(np.pi / 4 + np.radians(_START_LATITUDE) / 2))
    latitude = 2 * np.arctan(np.exp(start + offset[1] / metres)) - np.pi / 2
    return float(np.degrees(latitude)), _START_LONGITUDE + float(np.degrees(offset[0] / metres))
