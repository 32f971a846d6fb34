"""Scenes in the DGP format: JSON files with samples, sensors, poses and calibration.

Source: docs/reference/ddad.md, "Files".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DepthDataError
from ..poses import quaternion_to_matrix

SPLITS = dict(train='0', val='1', test='2', train_overfit='3')
LIDAR = 'LIDAR'


@dataclass(frozen=True)
class View:
    """One image of a scene.

    Attributes:
        image: path below the data set's folder.
        lidar: path of the sweep of the same sample, '' if it has none.
        sensor2world: (4, 4) pose of the camera when the image was taken, metres.
        lidar2world: (4, 4) pose of the LiDAR, likewise.
    """

    image: str
    lidar: str
    sensor2world: np.ndarray
    lidar2world: np.ndarray


@dataclass(frozen=True)
class Clip:
    """Images of one camera in one scene, in order of time.

    Attributes:
        scene: folder of the scene.
        camera: name of the camera, such as 'CAMERA_01'.
        cam2img: (3, 3), pixels of the image.
        cam2ego: (4, 4) mounting, camera to vehicle, metres.
        views: the images.
    """

    scene: str
    camera: str
    cam2img: np.ndarray
    cam2ego: np.ndarray
    views: Sequence[View]

    @property
    def folder(self) -> str:
        """Scene and camera, unique in the data set."""
        return f'{self.scene}/{self.camera}'


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: it is damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f'expected the DGP file {path}, which does not exist; unpack DDAD '
            '(github.com/TRI-ML/DDAD) there, and set scene_dataset to its ddad.json'
        )
    try:
        return json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DepthDataError(f'{path}: expected JSON, got a damaged file ({error})') from error


def read_clips(root: Path, scene_dataset: str, split: str, cameras: Sequence[str]) -> list[Clip]:
    """Clips of the cameras in all scenes of a split.

    Raises:
        FileNotFoundError: a JSON file is missing.
        DepthDataError: an unknown or empty split, a camera that a scene does not have, a damaged
            file, or one without the fields of the format.
    """
    if split not in SPLITS:
        raise DepthDataError(f'expected a split among {", ".join(SPLITS)}, got {split!r}')
    path = root / scene_dataset
    index = read_json(path)
    with fields_of(path):
        files = index['scene_splits'].get(SPLITS[split], {}).get('filenames', [])
        present = [name for name, number in SPLITS.items() if number in index['scene_splits']]
    if not files:
        raise DepthDataError(f'{path}: expected scenes of split {split}, got splits {present}')
    return [clip for name in files for clip in _read_scene(root, name, cameras)]


def _read_scene(root: Path, name: str, cameras: Sequence[str]) -> list[Clip]:
    path = root / name
    scene = read_json(path)
    with fields_of(path):
        data = {entry['key']: entry for entry in scene['data']}
        samples = [
            {data[key]['id']['name']: data[key]['datum'] for key in sample['datum_keys']}
            for sample in scene['samples']
        ]
        keys = {sample['calibration_key'] for sample in scene['samples']}
    calibrations = [read_json(path.parent / 'calibration' / f'{key}.json') for key in sorted(keys)]
    folder = Path(name).parent.as_posix()
    with fields_of(path):
        known = sorted({sensor for sample in samples for sensor in sample} - {LIDAR})
        absent = [camera for camera in cameras if camera not in known]
        if absent:
            raise DepthDataError(f'{path}: expected cameras {absent}, the scene has {known}')
        return [
            Clip(
                folder,
                camera,
                *calibration_of(calibrations, camera),
                [_view(folder, sample, camera) for sample in samples if camera in sample],
            )
            for camera in cameras
        ]


def _view(folder: str, sample: Mapping[str, dict], camera: str) -> View:
    image = sample[camera]['image']
    cloud = sample.get(LIDAR, {}).get('point_cloud')
    return View(
        f'{folder}/{image["filename"]}',
        '' if cloud is None else f'{folder}/{cloud["filename"]}',
        matrix_of(image['pose']),
        np.eye(4) if cloud is None else matrix_of(cloud['pose']),
    )


def calibration_of(calibrations: Sequence[dict], camera: str) -> tuple[np.ndarray, np.ndarray]:
    """(3, 3) intrinsics and (4, 4) mounting of a camera, which all samples of a scene share."""
    found = []
    for calibration in calibrations:
        place = calibration['names'].index(camera)
        k = calibration['intrinsics'][place]
        cam2img = [[k['fx'], k['skew'], k['cx']], [0, k['fy'], k['cy']], [0, 0, 1]]
        found.append((np.array(cam2img), matrix_of(calibration['extrinsics'][place])))
    if any(not np.array_equal(a, b) for one in found for a, b in zip(found[0], one, strict=True)):
        raise DepthDataError(
            f'expected one calibration of {camera} per scene, got {len(found)} that differ'
        )
    return found[0]


def matrix_of(pose: Mapping[str, Mapping[str, float]]) -> np.ndarray:
    """(4, 4) sensor's frame to the parent frame, from `rotation` (qw to qz) and `translation`.

    Raises:
        ValueError: a rotation of length zero, or numbers that are not finite.
    """
    matrix = np.eye(4)
    quaternion = [pose['rotation'][f'q{axis}'] for axis in 'wxyz']
    if not np.isfinite(quaternion).all() or not np.linalg.norm(quaternion) > 0:
        raise ValueError(f'expected a rotation, got the quaternion {quaternion}')
    matrix[:3, :3] = quaternion_to_matrix(quaternion)
    matrix[:3, 3] = [pose['translation'][axis] for axis in 'xyz']
    if not np.isfinite(matrix).all():
        raise ValueError(f'expected a position in metres, got {matrix[:3, 3].tolist()}')
    return matrix


@contextmanager
def fields_of(path: Path) -> Iterator[None]:
    """Context in which a missing or wrong field of a DGP file is an error that names the file."""
    try:
        yield
    except DepthDataError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise DepthDataError(
            f'{path}: expected a file of the DGP format, got one without a field of it, or with a '
            f'wrong one ({type(error).__name__}: {error})'
        ) from error
