"""Conversion of nuScenes tables to mmdet3d v2 info files.

Camera-only models need no sweeps and no image boxes: ``lidar_sweeps`` is empty unless requested and
``cam_instances`` is left out. Added to v2 (docs/reference/nuscenes.md, "Info files"): the scene,
the neighbours in time, for each camera ``ego2global`` at the time of its image, what the benchmark
reads (``evaluation`` of each sample, ``scenes`` with their numbers of samples), and in ``metainfo``
digests of the tables (``tables``). All numbers stay float64 (docs/reference/nuscenes.md, "Precision
of poses").
"""

from __future__ import annotations

import os
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from nuscenes import NuScenes
from nuscenes.eval.detection.utils import category_to_detection_name
from nuscenes.utils.splits import create_splits_scenes
from tqdm import tqdm

from ...calibration_checks import check_camera
from ...files import atomic_file
from ...geometry import invert_rigid
from ...workers import map_in_workers
from .annotations import evaluation_entry, instance_entries
from .names import CAMERAS, CLASSES, INFO_VERSION, SPLITS, InfoError
from .poses import rigid_matrix
from .table_digests import table_digests
from .tables import CheckedNuScenes

_SHOWN = 5


@dataclass
class InfoSummary:
    """Counts of one info file; ``dropped`` has the tokens of unusable boxes, ``no_sweep`` counts
    samples whose LiDAR sweep is not on disk."""

    path: Path
    scenes: int = 0
    samples: int = 0
    boxes: Counter = field(default_factory=Counter)
    dropped: list[str] = field(default_factory=list)
    no_sweep: int = 0

    def __str__(self) -> str:
        boxes = ', '.join(f'{name} {self.boxes[name]}' for name in (*CLASSES, 'ignored'))
        text = (
            f'{self.path}: {self.samples} samples of {self.scenes} scenes, '
            f'{self.boxes.total()} boxes ({boxes})'
        )
        if self.dropped:
            text += (
                f'; dropped {len(self.dropped)} boxes with NaN or a size that is not positive, '
                f'first {self.dropped[0]}'
            )
        if self.no_sweep:
            text += f'; {self.no_sweep} LiDAR sweeps are not on disk (LoadLidarDepth needs them)'
        return text


def _pose(nusc: NuScenes, table: str, token: str) -> np.ndarray:
    """(4, 4) float64 transform of a row of `calibrated_sensor` or `ego_pose`."""
    return rigid_matrix(nusc.get(table, token), f'{nusc.version}/{table}.json, {token}')


def _camera_info(nusc: NuScenes, token: str, global2lidar: np.ndarray) -> dict:
    """The ``images`` entry of one camera."""
    data = nusc.get('sample_data', token)
    sensor = nusc.get('calibrated_sensor', data['calibrated_sensor_token'])
    cam2ego = _pose(nusc, 'calibrated_sensor', data['calibrated_sensor_token'])
    ego2global = _pose(nusc, 'ego_pose', data['ego_pose_token'])
    size = (data['width'], data['height'])
    if min(size) <= 0:
        raise InfoError(
            f'{nusc.version}/sample_data.json, {token}: expected width and height in pixels, got '
            f'{size[0]} and {size[1]}'
        )
    check_camera(
        sensor['camera_intrinsic'],
        f'{nusc.version}/calibrated_sensor.json, {sensor["token"]}, of {data["filename"]}',
        size,
    )
    lidar2cam = invert_rigid(torch.from_numpy(global2lidar @ ego2global @ cam2ego)).tolist()
    return dict(
        img_path=os.path.basename(data['filename']),
        width=size[0],
        height=size[1],
        cam2img=sensor['camera_intrinsic'],
        cam2ego=cam2ego.tolist(),
        ego2global=ego2global.tolist(),
        lidar2cam=lidar2cam,
        timestamp=data['timestamp'] / 1e6,
        sample_data_token=token,
    )


def _lidar_sweeps(nusc: NuScenes, lidar: dict, global2lidar: np.ndarray, number: int) -> list[dict]:
    """The ``lidar_sweeps`` before a sweep that are on disk, latest first.

    ``lidar2sensor`` as in mmdet3d: x @ lidar2sensor[:3, :3] - lidar2sensor[:3, 3] maps points of
    the sweep to the key frame's LiDAR frame.
    """
    sweeps = []
    while lidar['prev'] and len(sweeps) < number:
        lidar = nusc.get('sample_data', lidar['prev'])
        if not os.path.isfile(os.path.join(nusc.dataroot, lidar['filename'])):
            continue
        lidar2ego = _pose(nusc, 'calibrated_sensor', lidar['calibrated_sensor_token'])
        ego2global = _pose(nusc, 'ego_pose', lidar['ego_pose_token'])
        to_key = global2lidar @ ego2global @ lidar2ego
        lidar2sensor = np.eye(4)
        lidar2sensor[:3, :3], lidar2sensor[:3, 3] = to_key[:3, :3].T, -to_key[:3, 3]
        sweeps.append(
            dict(
                timestamp=lidar['timestamp'] / 1e6,
                sample_data_token=lidar['token'],
                ego2global=ego2global.tolist(),
                lidar_points=dict(
                    lidar_path=lidar['filename'],
                    lidar2ego=lidar2ego.tolist(),
                    lidar2sensor=lidar2sensor.tolist(),
                ),
            )
        )
    return sweeps


def _sample_info(
    nusc: NuScenes, sample: dict, neighbours: tuple[str, str], frame_idx: int, sweeps: int
) -> tuple[dict, list[str]]:
    """One ``data_list`` entry, without its ``sample_idx``, and the boxes dropped."""
    absent = [name for name in ('LIDAR_TOP', *CAMERAS) if name not in sample['data']]
    if absent:
        raise InfoError(
            f'sample {sample["token"]}: expected LIDAR_TOP and six cameras in {nusc.version}/'
            f'sample_data.json, as sensor.json names them, got no key frame of {", ".join(absent)}'
        )
    lidar = nusc.get('sample_data', sample['data']['LIDAR_TOP'])
    lidar2ego = _pose(nusc, 'calibrated_sensor', lidar['calibrated_sensor_token'])
    ego2global = _pose(nusc, 'ego_pose', lidar['ego_pose_token'])
    global2lidar = invert_rigid(torch.from_numpy(ego2global @ lidar2ego)).numpy()
    instances, dropped = instance_entries(nusc, sample['anns'], global2lidar)
    info = dict(
        sample_idx=0,
        token=sample['token'],
        scene_token=sample['scene_token'],
        scene_name=nusc.get('scene', sample['scene_token'])['name'],
        prev=neighbours[0],
        next=neighbours[1],
        frame_idx=frame_idx,
        timestamp=sample['timestamp'] / 1e6,
        ego2global=ego2global.tolist(),
        lidar_points=dict(
            lidar_path=os.path.basename(lidar['filename']),
            num_pts_feats=5,
            lidar2ego=lidar2ego.tolist(),
        ),
        lidar_sweeps=_lidar_sweeps(nusc, lidar, global2lidar, sweeps),
        images={cam: _camera_info(nusc, sample['data'][cam], global2lidar) for cam in CAMERAS},
        instances=instances,
        evaluation=evaluation_entry(nusc, [t for t in sample['anns'] if t not in dropped]),
    )
    return info, dropped


@dataclass
class _Scene:
    """Result of a worker: the entries of one scene, missing images, boxes dropped, and the number
    of samples without their LiDAR sweep on disk."""

    infos: list[dict]
    missing: list[str]
    ignored: set[str]
    dropped: list[str]
    no_sweep: int


def _scene_infos(nusc: NuScenes, sweeps: int, samples: list[dict]) -> _Scene:
    """Entries of one scene; ``samples`` are its sample records in order of time."""
    tokens = ['', *(sample['token'] for sample in samples), '']
    found = [
        _sample_info(nusc, sample, (tokens[i], tokens[i + 2]), i, sweeps)
        for i, sample in enumerate(samples)
    ]
    missing = _not_on_disk(nusc, samples, CAMERAS)
    names = {
        nusc.get('sample_annotation', token)['category_name']
        for sample in samples
        for token in sample['anns']
    }
    return _Scene(
        [info for info, _ in found],
        missing,
        {name for name in names if not category_to_detection_name(name)},
        [token for _, tokens in found for token in tokens],
        len(_not_on_disk(nusc, samples, ('LIDAR_TOP',))),
    )


def _not_on_disk(nusc: NuScenes, samples: list[dict], channels: tuple[str, ...]) -> list[str]:
    files = [
        nusc.get('sample_data', sample['data'][channel])['filename']
        for sample in samples
        for channel in channels
    ]
    return [name for name in files if not os.path.isfile(os.path.join(nusc.dataroot, name))]


_in_worker: list[Callable[[list[dict]], _Scene]] = []


def _scene_in_worker(samples: list[dict]) -> _Scene:
    return _in_worker[0](samples)


def _stream_scenes(
    nusc: NuScenes, scenes: list[list[dict]], workers: int, sweeps: int
) -> Iterator[_Scene]:
    """Scene by scene, in order; forked workers share the tables with this process."""
    read = partial(_scene_infos, nusc, sweeps)
    if workers <= 1:
        yield from map(read, scenes)
        return
    yield from map_in_workers(_scene_in_worker, scenes, workers, _in_worker.append, (read,))


def _canonical(value: object) -> object:
    """Copy with a reproducible pickle.

    Pickle writes a repeated reference to an object shorter than an equal copy of it.
    """
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, dict):
        return {_canonical(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return value


def _load_tables(root: Path, version: str) -> NuScenes:
    if version not in SPLITS:
        raise InfoError(f'expected a version among {", ".join(SPLITS)}, got {version}')
    if not (root / version).is_dir():
        raise FileNotFoundError(
            f'expected the nuScenes tables in {root / version}, which does not exist. Give --root '
            'the folder that holds samples/ and the tables, and --version the name of the tables.'
        )
    return CheckedNuScenes(root, version)


def _samples_by_scene(nusc: NuScenes) -> dict[str, list[dict]]:
    """{scene name: its sample records in order of time}, in the order of the scene table."""
    samples = {scene['token']: [] for scene in nusc.scene}
    for sample in sorted(nusc.sample, key=lambda record: record['timestamp']):
        if not abs(sample['timestamp']) < 2**63:  # nor NaN
            raise InfoError(
                f'{nusc.version}/sample.json, {sample["token"]}: expected a timestamp in '
                f'microseconds, got {sample["timestamp"]}'
            )
        samples[sample['scene_token']].append(sample)
    return {scene['name']: samples[scene['token']] for scene in nusc.scene}


def _raise_missing(root: Path, missing: list[str]) -> None:
    if missing:
        shown = '\n'.join(f'  {root / name}' for name in missing[:_SHOWN])
        raise FileNotFoundError(
            f'{len(missing)} files named in sample_data.json do not exist, the first of them:\n'
            f'{shown}\nUnpack the missing parts of the data set into the same root. Nothing was '
            'written.'
        )


def _build_split(
    nusc: NuScenes, name: str, scenes: list[str], all_samples: dict, workers: int, sweeps: int
) -> tuple[dict, list[str], list[str], int]:
    """Content of one info file, the missing files, the boxes dropped, and the missing sweeps."""
    data_list, missing, ignored, dropped, no_sweep = [], [], set(), [], 0
    progress = tqdm(total=len(scenes), desc=f'{name} scenes', unit='scene')
    with progress:
        for scene in _stream_scenes(nusc, [all_samples[s] for s in scenes], workers, sweeps):
            data_list += [_canonical(info) for info in scene.infos]
            missing += scene.missing
            ignored |= scene.ignored
            dropped += scene.dropped
            no_sweep += scene.no_sweep
            progress.update()
    for index, info in enumerate(data_list):
        info['sample_idx'] = index
    categories = {label: i for i, label in enumerate(CLASSES)} | dict.fromkeys(sorted(ignored), -1)
    metainfo = dict(
        categories=categories,
        dataset='nuscenes',
        version=nusc.version,
        info_version=INFO_VERSION,
        scenes={scene: len(samples) for scene, samples in all_samples.items()},
        tables=table_digests(Path(nusc.table_root)),
    )
    return (
        _canonical(dict(metainfo=metainfo)) | dict(data_list=data_list),
        missing,
        dropped,
        no_sweep,
    )


def _summary(path: Path, content: dict, dropped: list[str], no_sweep: int) -> InfoSummary:
    labels = Counter(
        item['bbox_label_3d'] for info in content['data_list'] for item in info['instances']
    )
    boxes = Counter({CLASSES[i] if i >= 0 else 'ignored': n for i, n in labels.items()})
    scenes = {info['scene_token'] for info in content['data_list']}
    return InfoSummary(path, len(scenes), len(content['data_list']), boxes, dropped, no_sweep)


def create_nuscenes_infos(
    root: str | Path,
    version: str,
    out: str | Path | None = None,
    workers: int = 1,
    max_scenes: int | None = None,
    lidar_sweeps: int = 0,
) -> list[InfoSummary]:
    """Write ``nuscenes_infos_{train,val}.pkl``, or ``_test.pkl`` for v1.0-test.

    The bytes are reproducible with any number of workers. A split without scenes in this root gets
    a file without samples.

    Args:
        root: nuScenes root, with ``samples/`` and ``<version>/``.
        version: 'v1.0-mini', 'v1.0-trainval' or 'v1.0-test' (which has no annotations).
        out: folder of the info files; None is ``root``.
        workers: number of processes that read scenes.
        max_scenes: number of scenes per split, the first ones.
        lidar_sweeps: number of LiDAR sweeps listed before each key frame, if they are on disk.

    Returns:
        One summary per file.

    Raises:
        FileNotFoundError: the tables, or images named in them, do not exist; nothing is written.
        InfoError: unknown version, or no scene of this root belongs to one of its splits.
        DepthDataError: a row that is not a camera or pose. Boxes with NaN or a size that is not
            positive are left out and counted.
    """
    root, out = Path(root), Path(out or root)
    nusc = _load_tables(root, version)
    samples = _samples_by_scene(nusc)
    official = create_splits_scenes()
    names = {
        name: [scene for scene in samples if scene in official[split]][:max_scenes]
        for name, split in SPLITS[version].items()
    }
    if not any(names.values()):
        raise InfoError(
            f'expected scenes of {" or ".join(SPLITS[version].values())} in {root / version}, got '
            f'{len(samples)} scenes with other names, such as {next(iter(samples), "none")}'
        )
    contents, missing, notes = {}, [], {}
    for name, scenes in names.items():
        path = out / f'nuscenes_infos_{name}.pkl'
        contents[path], absent, *notes[path] = _build_split(
            nusc, name, scenes, samples, workers, lidar_sweeps
        )
        missing += absent
    _raise_missing(root, missing)
    for path, content in contents.items():
        with atomic_file(path) as file:
            pickle.dump(content, file, protocol=4)
    return [_summary(path, content, *notes[path]) for path, content in contents.items()]
