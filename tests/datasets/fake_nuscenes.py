"""A nuScenes root small enough to write in a test: all tables, 32x18 images, few LiDAR points."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
from PIL import Image
from pyquaternion import Quaternion

from hybrid_depth.datasets.nuscenes.infos import CAMERAS

SCENES = ('scene-0061', 'scene-0553', 'scene-0103')  # two of mini_train, one of mini_val
SAMPLES = 3
PERIOD = 0.5  # seconds
EGO_SPEED = np.array([4.0, 1.0, 0.0])
CAR_SPEED = np.array([0.0, 6.0, 0.0])
CATEGORIES = ('vehicle.car', 'human.pedestrian.adult', 'animal')
SIZES = ([1.9, 4.6, 1.6], [0.6, 0.7, 1.8], [0.5, 1.0, 0.8])  # width, length, height
_YAWS = dict(zip(CAMERAS, np.deg2rad([55, 0, -55, 110, 180, -110]), strict=True))
_CAMERA_AXES = Quaternion(0.5, -0.5, 0.5, -0.5)  # x right, y down, z forward


def _sensor_records() -> tuple[list[dict], list[dict]]:
    sensors, calibrated = [], []
    for name in ('LIDAR_TOP', *CAMERAS):
        lidar = name == 'LIDAR_TOP'
        tilt = Quaternion(axis=[1, 1, 0], radians=0.02)
        yaw = Quaternion(axis=[0, 0, 1], radians=-np.pi / 2 if lidar else _YAWS[name])
        rotation = tilt * (yaw if lidar else yaw * _CAMERA_AXES)
        sensors.append(dict(token=name, channel=name, modality='lidar' if lidar else 'camera'))
        calibrated.append(
            dict(
                token=f'calibrated-{name}',
                sensor_token=name,
                translation=[0.9, 0.0, 1.8] if lidar else [1.5, 0.0, 1.5],
                rotation=list(rotation),
                camera_intrinsic=[] if lidar else [[25.0, 0, 16], [0, 25.0, 9], [0, 0, 1]],
            )
        )
    return sensors, calibrated


def _write_sensor_file(path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == '.jpg':
        Image.fromarray(random.integers(0, 255, (18, 32, 3), dtype=np.uint8)).save(path)
    else:
        points = random.uniform(-30, 30, (200, 5))
        points[:10, :2] /= 40  # on the ego vehicle
        points[:, 4] = np.arange(200) % 32  # ring
        points.astype(np.float32).tofile(path)


def _add_sample_data(root: Path, tables: dict, sample: str, time: float, seed: int) -> None:
    for offset, channel in enumerate(('LIDAR_TOP', *CAMERAS)):
        token = f'{sample}-{channel}'
        suffix = 'pcd.bin' if channel == 'LIDAR_TOP' else 'jpg'
        seen = time - 0.01 * offset  # cameras differ in time, and so in pose
        tables['ego_pose'].append(
            dict(
                token=token,
                timestamp=int(seen * 1e6),
                rotation=list(Quaternion(axis=[0, 0, 1], radians=0.3 + 0.1 * seen)),
                translation=(EGO_SPEED * seen).tolist(),
            )
        )
        tables['sample_data'].append(
            dict(
                token=token,
                sample_token=sample,
                ego_pose_token=token,
                calibrated_sensor_token=f'calibrated-{channel}',
                timestamp=int(seen * 1e6),
                fileformat=suffix,
                is_key_frame=True,
                height=18,
                width=32,
                filename=f'samples/{channel}/{token}.{suffix}',
                prev='',
                next='',
            )
        )
        _write_sensor_file(root / tables['sample_data'][-1]['filename'], seed + offset)


def _add_annotations(tables: dict, scene: str, index: int, time: float) -> None:
    for kind, (category, size) in enumerate(zip(CATEGORIES, SIZES, strict=True)):
        speed = CAR_SPEED if category == 'vehicle.car' else np.zeros(3)
        near_ego = EGO_SPEED * time + np.array([8.0, 5.0 * kind - 6.0, 0.8])
        position = near_ego + (speed - EGO_SPEED) * PERIOD * index
        names = [f'{scene}-{i}-{kind}' if 0 <= i < SAMPLES else '' for i in range(-1, SAMPLES + 1)]
        tables['sample_annotation'].append(
            dict(
                token=names[index + 1],
                sample_token=f'{scene}-{index}',
                instance_token=f'{scene}-{kind}',
                visibility_token='4',
                attribute_tokens=[],
                translation=position.tolist(),
                size=size,
                rotation=list(Quaternion(axis=[0, 0, 1], radians=0.4)),
                prev=names[index],
                next=names[index + 2],
                num_lidar_pts=2 - kind,
                num_radar_pts=0,
            )
        )


def _scene_tables(root: Path, tables: dict, number: int, scene: str) -> None:
    tokens = [f'{scene}-{i}' for i in range(SAMPLES)]
    tables['scene'].append(
        dict(
            token=scene,
            log_token='log',
            nbr_samples=SAMPLES,
            first_sample_token=tokens[0],
            last_sample_token=tokens[-1],
            name=scene,
            description='',
        )
    )
    for i, token in enumerate(tokens):
        time = 100.0 * (number + 1) + PERIOD * i
        tables['sample'].append(
            dict(
                token=token,
                timestamp=int(time * 1e6),
                prev=tokens[i - 1] if i else '',
                next=tokens[i + 1] if i + 1 < SAMPLES else '',
                scene_token=scene,
            )
        )
        _add_sample_data(root, tables, token, time, 100 * number + 10 * i)
        _add_annotations(tables, scene, i, time)
    for kind, category in enumerate(CATEGORIES):
        tables['instance'].append(
            dict(
                token=f'{scene}-{kind}',
                category_token=category,
                nbr_annotations=SAMPLES,
                first_annotation_token=f'{scene}-0-{kind}',
                last_annotation_token=f'{scene}-{SAMPLES - 1}-{kind}',
            )
        )


def write_fake_nuscenes(root: Path, scenes: tuple[str, ...] = SCENES) -> Path:
    """Write a ``v1.0-mini`` root: per scene three keyframes with a moving car, a pedestrian and an
    animal; the car has 2 LiDAR points, the pedestrian 1, the animal 0."""
    names = ('scene', 'sample', 'sample_data', 'ego_pose', 'sample_annotation', 'instance')
    tables = {name: [] for name in (*names, 'attribute')}
    tables['sensor'], tables['calibrated_sensor'] = _sensor_records()
    for number, scene in enumerate(scenes):
        _scene_tables(root, tables, number, scene)
    tables['category'] = [dict(token=name, name=name, description='') for name in CATEGORIES]
    tables['visibility'] = [dict(token='4', level='v80-100', description='')]
    tables['log'] = [
        dict(token='log', logfile='', vehicle='', date_captured='', location='singapore-onenorth')
    ]
    tables['map'] = [dict(token='map', category='', filename='maps/m.png', log_tokens=['log'])]
    folder = root / 'v1.0-mini'
    folder.mkdir(parents=True)
    for name, records in tables.items():
        (folder / f'{name}.json').write_text(json.dumps(records))
    maps = root / 'maps'
    maps.mkdir()
    Image.new('L', (4, 4)).save(maps / 'm.png')
    return root


def sensor_files(root: Path) -> list[Path]:
    """Every image and sweep of the root."""
    patterns = ('samples/*/*.jpg', 'samples/*/*.bin')
    return sorted(itertools.chain.from_iterable(root.glob(pattern) for pattern in patterns))
