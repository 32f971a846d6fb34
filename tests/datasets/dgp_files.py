"""A small scene in the DGP format, written by tests."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

CAMERAS = ('CAMERA_01', 'CAMERA_05')
SIZE = (64, 40)  # width, height
FOCAL, CENTRE = 50.0, (31.0, 19.0)
HEIGHT = 1.5  # of the cameras above the LiDAR's origin, metres
STEP = 0.7  # metres driven between samples
INDEX = 'ddad.json'
#: Camera's axes (x right, y down, z forward) in the vehicle's frame (x forward, y left, z up).
FORWARD = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
_SCENE = 'scene_01'


def pose(rotation: np.ndarray, translation: list[float]) -> dict:
    x, y, z, w = Rotation.from_matrix(rotation).as_quat()
    return dict(
        rotation=dict(qw=w, qx=x, qy=y, qz=z),
        translation=dict(zip('xyz', translation, strict=True)),
    )


def yaw(degrees: float) -> np.ndarray:
    return Rotation.from_euler('z', degrees, degrees=True).as_matrix()


def points(number: int) -> np.ndarray:
    """(P, 4) a wall 10 m in front of the first LiDAR, and one point that is not finite."""
    y, z = np.meshgrid(np.linspace(-3, 3, 30), np.linspace(0, 3, 15))
    wall = np.stack([np.full_like(y, 10 - number * STEP), y, z, np.zeros_like(y)], -1)
    return np.concatenate([wall.reshape(-1, 4), [[np.nan, 0, 0, 0]]])


def write(root: Path, samples: int = 3) -> Path:
    """A drive straight ahead past world heading 30 degrees; camera 05 looks left.

    The image of a sample is taken half a step after its sweep.
    """
    data, listed = [], []
    heading = yaw(30)
    mounts = {'CAMERA_01': FORWARD, 'CAMERA_05': yaw(90) @ FORWARD}
    for number in range(samples):
        keys = []
        for sensor in ('LIDAR', *CAMERAS):
            driven = STEP * (number + (0.5 if sensor != 'LIDAR' else 0))
            place = heading @ [driven, 0, 0]
            key, stem = f'{sensor}{number}', f'{number:017d}'
            if sensor == 'LIDAR':
                name = f'point_cloud/LIDAR/{stem}.npz'
                path = root / _SCENE / name
                path.parent.mkdir(parents=True, exist_ok=True)
                np.savez(path, data=points(number))
                datum = dict(point_cloud=dict(filename=name, pose=pose(heading, [*place])))
            else:
                name = f'rgb/{sensor}/{stem}.jpg'
                path = root / _SCENE / name
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new('RGB', SIZE, (number, 0, 0)).save(path)
                place = place + [0, 0, HEIGHT]
                found = pose(heading @ mounts[sensor], [*place])
                datum = dict(image=dict(filename=name, pose=found))
            data.append(dict(key=key, datum=datum, id=dict(name=sensor)))
            keys.append(key)
        listed.append(dict(calibration_key='c', datum_keys=keys))
    sensors = dict(LIDAR=np.eye(3), **mounts)
    k = dict(fx=FOCAL, fy=FOCAL, cx=CENTRE[0], cy=CENTRE[1], skew=0.0)
    calibration = dict(
        names=[*sensors],
        intrinsics=[k] * len(sensors),
        extrinsics=[
            pose(axes, [0, 0, 0 if name == 'LIDAR' else HEIGHT]) for name, axes in sensors.items()
        ],
    )
    dump(root / _SCENE / 'calibration' / 'c.json', calibration)
    dump(root / _SCENE / 'scene.json', dict(samples=listed, data=data))
    dump(root / INDEX, dict(scene_splits={'0': dict(filenames=[f'{_SCENE}/scene.json'])}))
    return root


def dump(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def scene_file(root: Path) -> Path:
    return root / _SCENE / 'scene.json'


def edit(path: Path, change) -> None:
    """Change the content of a JSON file in place."""
    content = json.loads(path.read_text())
    change(content)
    dump(path, content)
