"""Faults of users planted in info files and configs, for the checks of the doctor."""

import copy
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from mmengine.config import Config
from scipy.spatial.transform import Rotation

from hybrid_depth.datasets.nuscenes.names import CAMERAS, CLASSES
from hybrid_depth.doctor.case import Case
from tests.conftest import ROOT

Edit = Callable[[dict], None]


def toy_config(root: Path, folder: Path, config: str = 'bevdet_depth_toy') -> Config:
    """A toy detector's config on a root, with the info files of a folder."""
    cfg = Config.fromfile(ROOT / f'configs/toy/{config}.py')
    train, test = cfg.train_dataloader.dataset.dataset, cfg.test_dataloader.dataset
    for dataset, split in ((train, 'train'), (test, 'val')):
        dataset.update(data_root=str(root), ann_file=f'{folder}/nuscenes_infos_{split}.pkl')
        dataset.serialize_data = False  # takes a second
    return cfg


def edited_infos(clean: Path, folder: Path, edit: Edit) -> Path:
    """Copies of the info files of a folder, each sample edited."""
    for split in ('train', 'val'):
        content = pickle.loads((clean / f'nuscenes_infos_{split}.pkl').read_bytes())
        content = copy.deepcopy(content)  # lists of several samples are one object
        for info in content['data_list']:
            edit(info)
        (folder / f'nuscenes_infos_{split}.pkl').write_bytes(pickle.dumps(content))
    return folder


def rotation(axis: str, degrees: float) -> np.ndarray:
    """(4, 4) rotation about an axis."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    return matrix


def set_lidar2cam(info: dict, name: str, lidar2cam: np.ndarray) -> None:
    """Another calibration of a camera in all entries of a sample."""
    image = info['images'][name]
    image['lidar2cam'] = lidar2cam.tolist()
    to_global = np.array(info['ego2global']) @ np.array(info['lidar_points']['lidar2ego'])
    cam2ego = np.linalg.inv(image['ego2global']) @ to_global @ np.linalg.inv(lidar2cam)
    image['cam2ego'] = cam2ego.tolist()


def turn_cameras(axis: str, degrees: float, names: tuple[str, ...] = CAMERAS) -> Edit:
    """Cameras rotated about an axis of their frame."""

    def edit(info: dict) -> None:
        for name in names:
            given = np.array(info['images'][name]['lidar2cam'])
            set_lidar2cam(info, name, rotation(axis, degrees) @ given)

    return edit


def move_lidar(transform: np.ndarray) -> Edit:
    """LiDAR to ego with another transform after it; the cameras stay at the LiDAR."""

    def edit(info: dict) -> None:
        lidar = info['lidar_points']
        lidar['lidar2ego'] = (transform @ np.array(lidar['lidar2ego'])).tolist()
        for name in CAMERAS:
            set_lidar2cam(info, name, np.array(info['images'][name]['lidar2cam']))

    return edit


def exchange_images(first: str, second: str) -> Edit:
    """Images of two cameras, in files of one folder, so that the paths do not tell."""

    def edit(info: dict) -> None:
        images = info['images']
        a, b = images[first], images[second]
        a['img_path'], b['img_path'] = f'../x/{b["img_path"]}', f'../x/{a["img_path"]}'

    return edit


def exchange_calibrations(first: str, second: str) -> Edit:
    """Calibrations of two cameras under each other's name."""

    def edit(info: dict) -> None:
        images = info['images']
        a, b = images[first], images[second]
        for key in ('cam2img', 'lidar2cam', 'cam2ego', 'ego2global'):
            a[key], b[key] = b[key], a[key]

    return edit


def edit_boxes(change: Callable[[np.ndarray, dict], np.ndarray]) -> Edit:
    """Each box (7) replaced by `change(box, info)`."""

    def edit(info: dict) -> None:
        for item in info['instances']:
            item['bbox_3d'] = list(change(np.array(item['bbox_3d']), info))

    return edit


def swapped(box: np.ndarray, info: dict) -> np.ndarray:
    return box[[0, 1, 2, 4, 3, 5, 6]]


def yaw(change: Callable[[float], float]) -> Edit:
    return edit_boxes(lambda box, info: np.append(box[:6], change(box[6])))


def old_mmdet3d(box: np.ndarray, info: dict) -> np.ndarray:
    """mmdet3d < 1.0."""
    return np.append(swapped(box, info)[:6], -box[6] - np.pi / 2)


def to_ego(box: np.ndarray, info: dict) -> np.ndarray:
    lidar2ego = np.array(info['lidar_points']['lidar2ego'])
    centre = lidar2ego[:3, :3] @ box[:3] + lidar2ego[:3, 3]
    turn = np.arctan2(lidar2ego[1, 0], lidar2ego[0, 0])
    return np.array([*centre, *box[3:6], box[6] + turn])


def relabel(order: list[str]) -> Edit:
    """Labels that count in another order of the classes than the file says."""

    def edit(info: dict) -> None:
        for item in info['instances']:
            label = item['bbox_label_3d']
            item['bbox_label_3d'] = order.index(CLASSES[label]) if label >= 0 else -1

    return edit


MMDET3D_ORDER = [
    'car', 'truck', 'trailer', 'bus', 'construction_vehicle', 'bicycle', 'motorcycle',
    'pedestrian', 'traffic_cone', 'barrier',
]  # fmt: skip


def faults(case: Case) -> Iterator[tuple[str, str]]:
    """(check, text) of the faults of a case."""
    from hybrid_depth.doctor.examination import diagnose

    for finding in diagnose(case):
        if finding.state == 'fault':
            yield finding.check, finding.text
