"""Drives of a data set in the DGP format (docs/reference/ddad.md, "Files")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..calibration_checks import check_camera
from ..datasets.ddad.scenes import (
    LIDAR,
    SPLITS,
    calibration_of,
    fields_of,
    matrix_of,
    read_json,
)
from .drive import Drive, RigBoxes, RigCamera, RigLidar
from .errors import RigError
from .times import in_order
from .trajectory import Trajectory

_SAME = 1e-3  # seconds between poses of one moment


def dgp_drives(
    path: Path, split: str, shift: np.ndarray, cameras: Sequence[str] | None = None
) -> list[Drive]:
    """Scenes of a split, with their cameras, LiDAR, poses and annotated boxes.

    Args:
        path: JSON file of the data set.
        split: 'train', 'val', ...; empty if the data set has none.
        shift: (4, 4) vehicle of the files to the vehicle whose ground is at z = 0.
        cameras: names, in this order; None for all that the first sample has.

    Raises:
        FileNotFoundError: a file is missing.
        DepthDataError: a damaged file, or one without the fields of the format.
        RigError: a scene without one of the cameras.
    """
    index = read_json(path)
    with fields_of(path):
        files = index['scene_splits'].get(SPLITS[split], {}).get('filenames', [])
    return [_scene(path.parent / name, shift, cameras) for name in files]


def _scene(path: Path, shift: np.ndarray, cameras: Sequence[str] | None) -> Drive:
    scene, folder = read_json(path), path.parent
    with fields_of(path):
        data = {entry['key']: entry for entry in scene['data']}
        samples = [
            {data[key]['id']['name']: data[key] for key in sample['datum_keys']}
            for sample in scene['samples']
        ]
        keys = sorted({sample['calibration_key'] for sample in scene['samples']})
        calibrations = [read_json(folder / 'calibration' / f'{key}.json') for key in keys]
        names = cameras or [n for n, entry in samples[0].items() if 'image' in entry['datum']]
        absent = [name for name in names if not any(name in sample for sample in samples)]
        if absent:
            raise RigError(
                f'{path}: expected cameras {", ".join(absent)}, the scene has '
                f'{", ".join(sorted(samples[0]))}'
            )
        found = {name: _camera(folder, samples, name, calibrations, shift) for name in names}
        poses = _poses(samples, calibrations)
        lidar, boxes = None, None
        if any(LIDAR in sample for sample in samples):
            _, lidar2ego = calibration_of(calibrations, LIDAR)
            lidar = _lidar(folder, samples, shift @ lidar2ego)
            ontology = _ontology(folder, scene)
            boxes = _boxes(folder, samples, shift @ lidar2ego, ontology)
    return Drive(folder.name, found, _trajectory(poses, shift, path), boxes, lidar)


def _time(entry: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(entry['id']['timestamp'].replace('Z', '+00:00')).timestamp()


def _camera(
    folder: Path, samples: list[dict], name: str, calibrations: list[dict], shift: np.ndarray
) -> RigCamera:
    cam2img, cam2ego = calibration_of(calibrations, name)
    entries = [sample[name] for sample in samples if name in sample]
    images = [entry['datum']['image'] for entry in entries]
    size = (int(images[0]['width']), int(images[0]['height']))
    check_camera(cam2img, f'{folder}, {name}', size)
    times = np.array([_time(entry) for entry in entries])
    paths, times = in_order([folder / image['filename'] for image in images], times, name)
    return RigCamera(cam2img, shift @ cam2ego, paths, times, size)


def _lidar(folder: Path, samples: list[dict], lidar2ego: np.ndarray) -> RigLidar:
    entries = [sample[LIDAR] for sample in samples if LIDAR in sample]
    paths = [folder / entry['datum']['point_cloud']['filename'] for entry in entries]
    paths, times = in_order(paths, np.array([_time(entry) for entry in entries]), LIDAR)
    return RigLidar(lidar2ego, paths, times)


def _poses(samples: list[dict], calibrations: list[dict]) -> list[tuple[float, np.ndarray]]:
    """Times with (4, 4) poses of the vehicle of the files, from those of all sensors."""
    found = []
    for sample in samples:
        for name, entry in sample.items():
            datum = entry['datum'].get('image') or entry['datum'].get('point_cloud')
            if datum is None or name not in calibrations[0]['names']:
                continue
            _, sensor2ego = calibration_of(calibrations, name)
            found.append((_time(entry), matrix_of(datum['pose']) @ np.linalg.inv(sensor2ego)))
    return sorted(found, key=lambda pair: pair[0])


def _trajectory(poses: list[tuple[float, np.ndarray]], shift: np.ndarray, path: Path) -> Trajectory:
    kept = [poses[0]]
    for time, pose in poses[1:]:
        if time - kept[-1][0] > _SAME:
            kept.append((time, pose))
    times = np.array([time for time, _ in kept])
    matrices = np.array([pose for _, pose in kept]) @ np.linalg.inv(shift)
    return Trajectory(times, matrices, f'{path}, poses')


def _ontology(folder: Path, scene: Mapping[str, Any]) -> dict[int, str]:
    """Names of the classes of 3D boxes, by number."""
    files = sorted((folder / 'ontology').glob('*.json'))
    key = dict(scene.get('ontologies', {})).get('1')
    chosen = [file for file in files if file.stem == key] or files
    if not chosen:
        return {}
    return {int(item['id']): str(item['name']) for item in read_json(chosen[0])['items']}


def _boxes(
    folder: Path, samples: list[dict], lidar2ego: np.ndarray, ontology: Mapping[int, str]
) -> RigBoxes | None:
    """Boxes of the sweeps, in the vehicle's frame."""
    rows: list[tuple] = []
    for sample in samples:
        entry = sample.get(LIDAR)
        file = entry and entry['datum']['point_cloud'].get('annotations', {}).get('1')
        for item in read_json(folder / file)['annotations'] if file else ():
            box = item['box']
            pose = lidar2ego @ matrix_of(box['pose'])
            yaw = np.arctan2(pose[1, 0], pose[0, 0])
            size = (box['length'], box['width'], box['height'])
            name = ontology.get(int(item['class_id']), f'class_{item["class_id"]}')
            numbers = (*pose[:3, 3], *size, yaw)
            rows.append(
                (_time(entry), name, numbers, item.get('num_points'), item.get('instance_id'))
            )
    if not rows:
        return None
    times, names, boxes, points, tracks = zip(*rows, strict=True)
    return RigBoxes(
        np.array(times),
        list(names),
        np.array(boxes, np.float64),
        np.full((len(rows), 2), np.nan),
        None if None in points else np.array(points, int),
        None if None in tracks else list(map(str, tracks)),
    )
