"""Damaged files of every kind that is read: a plausible result or an error of this package."""

import io
import json
import pickle
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.checkpoints.weights import weights_of
from hybrid_depth.datasets.depth_map_files import read_depth_png, read_pseudo_depth, write_depth_png
from hybrid_depth.datasets.image_files import open_image
from hybrid_depth.datasets.kitti.calibration import KittiCalibration
from hybrid_depth.datasets.kitti.splits.split_file import read_split
from hybrid_depth.datasets.kitti.velodyne import read_velodyne
from hybrid_depth.datasets.tusimple import TuSimpleLaneDataset
from hybrid_depth.datasets.video.video_folder import read_intrinsics
from hybrid_depth.depth.evaluation.files import DepthMaps
from hybrid_depth.depth.evaluation.pose_metrics import read_motions
from hybrid_depth.errors import HybridDepthError
from hybrid_depth.info_files import read_infos
from hybrid_depth.pseudo_depth.cache import read_scales

from .mutations import mutated_bytes

OURS = (HybridDepthError, FileNotFoundError)


class Reader(NamedTuple):
    """A kind of file: its path, valid content, and what is read from its folder."""

    file: str
    content: bytes
    read: Callable[[Path], object]


CALIBRATION = b"""calib_time: 09-Jan-2012 13:57:47
S_rect_02: 1.242000e+03 3.750000e+02
R_rect_00: 1 0 0 0 1 0 0 0 1
P_rect_00: 7.2e+02 0 6.1e+02 0 0 7.2e+02 1.7e+02 0 0 0 1 0
P_rect_01: 7.2e+02 0 6.1e+02 -3.8e+02 0 7.2e+02 1.7e+02 0 0 0 1 0
P_rect_02: 7.2e+02 0 6.1e+02 4.5e+01 0 7.2e+02 1.7e+02 2.2e-01 0 0 1 2.7e-03
P_rect_03: 7.2e+02 0 6.1e+02 -3.4e+02 0 7.2e+02 1.7e+02 2.2e+00 0 0 1 2.7e-03
"""
LIDAR = b'R: 0 -1 0 0 0 -1 1 0 0\nT: 0 -0.08 -0.27\n'
POSES = b'1 0 0 0 0 1 0 0 0 0 1 0\n1 0 0 0.1 0 1 0 0 0 0 1 0.9\n'
LANES = dict(h_samples=[10, 20, 30], lanes=[[-2, 5, 6], [7, 8, 9]], raw_file='a.png')


def calibration(folder: Path) -> list:
    (folder / 'calib_velo_to_cam.txt').write_bytes(LIDAR)
    read = KittiCalibration.from_folder(folder)
    return [read.cam2img(2), read.velo_to_image(2), read.baseline(2, 3)]


def lidar_calibration(folder: Path) -> list:
    (folder / 'calib_cam_to_cam.txt').write_bytes(CALIBRATION)
    return [KittiCalibration.from_folder(folder).velo_to_image(2)]


def lanes(folder: Path) -> list:
    Image.new('RGB', (40, 40)).save(folder / 'a.png')
    dataset = TuSimpleLaneDataset(str(folder), 'labels.json', lazy_init=True)
    return [array for sample in dataset.load_data_list() for array in sample.get('lanes', [])]


def png(depth: bool) -> bytes:
    file = io.BytesIO()
    kind = (np.uint16, 'I;16') if depth else (np.uint8, None)
    Image.fromarray(np.arange(48, dtype=kind[0]).reshape(6, 8)).save(file, 'PNG')
    return file.getvalue()


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.new('RGB', (16, 8), (200, 100, 0)).save(file, 'JPEG')
    return file.getvalue()


def array_bytes(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def archive(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def checkpoint() -> bytes:
    file = io.BytesIO()
    torch.save(dict(state_dict=dict(weight=torch.ones(2, 3)), meta=dict(epoch=1, cfg='a')), file)
    return file.getvalue()


def pseudo_png() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'a.png')
        text = dict(img_aug=json.dumps(np.eye(3).tolist()))
        write_depth_png(np.ones((4, 6), np.float32), path, text)
        return path.read_bytes()


INFOS = dict(metainfo=dict(version='v1.0-mini'), data_list=[dict(token='a', images={})])
READERS = {
    'calibration': Reader('calib_cam_to_cam.txt', CALIBRATION, calibration),
    'lidar_calibration': Reader('calib_velo_to_cam.txt', LIDAR, lidar_calibration),
    'split': Reader(
        'files.txt',
        b'2011_09_26/2011_09_26_drive_0001_sync 12 l\n' * 3,
        lambda f: read_split(f / 'files.txt'),
    ),
    'poses': Reader('poses.txt', POSES, lambda f: [read_motions(f / 'poses.txt')]),
    'motions': Reader(
        'motions.npy',
        array_bytes(np.tile(np.eye(4), (2, 1, 1))),
        lambda f: [read_motions(f / 'motions.npy')],
    ),
    'intrinsics': Reader(
        'i.txt', b'700.0 710.0, 320\n240', lambda f: [read_intrinsics(f / 'i.txt')]
    ),
    'lanes': Reader('labels.json', json.dumps(LANES).encode(), lanes),
    'infos.pkl': Reader('a.pkl', pickle.dumps(INFOS), lambda f: read_infos(f / 'a.pkl')),
    'infos.json': Reader('a.json', json.dumps(INFOS).encode(), lambda f: read_infos(f / 'a.json')),
    'infos.yaml': Reader(
        'a.yaml', b'metainfo: {v: 1}\ndata_list: [{a: 1}]\n', lambda f: read_infos(f / 'a.yaml')
    ),
    'depth.png': Reader('a.png', png(depth=True), lambda f: [read_depth_png(f / 'a.png')]),
    'pseudo.png': Reader('a.png', pseudo_png(), lambda f: [*read_pseudo_depth(f / 'a.png')]),
    'image.png': Reader('a.png', png(depth=False), lambda f: open_image(f / 'a.png')),
    'image.jpg': Reader('a.jpg', jpeg(), lambda f: open_image(f / 'a.jpg')),
    'sweep': Reader(
        'a.bin', np.ones((5, 4), np.float32).tobytes(), lambda f: read_velodyne(f / 'a.bin')
    ),
    'maps.npy': Reader(
        'a.npy', array_bytes(np.ones((2, 3, 4))), lambda f: tuple(DepthMaps(f / 'a.npy'))
    ),
    'maps.npz': Reader(
        'a.npz',
        archive(a=np.ones((3, 4)), b=np.ones((5, 4))),
        lambda f: tuple(DepthMaps(f / 'a.npz')),
    ),
    'checkpoint': Reader(
        'a.pth',
        checkpoint(),
        lambda f: weights_of(load_checkpoint_file(f / 'a.pth'), 'a', ('weight',)),
    ),
    'scales': Reader(
        'scales_000.jsonl',
        b'{"file": "a.png", "scale": 2.0, "spread": null, "share": 1.0, "known": 0.5}\n',
        lambda f: [note['known'] or 0.0 for note in read_scales(f)],
    ),
}


@pytest.fixture(scope='module')
def folders(tmp_path_factory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp('fuzz')
    return (root / str(number) for number in range(10**9))


@pytest.mark.parametrize('kind', READERS)
def test_valid(kind, folders):
    read_file(READERS[kind], READERS[kind].content, folders)


@pytest.mark.parametrize('kind', READERS)
@given(data=st.data())
def test_damaged(kind, folders, data):
    reader = READERS[kind]
    content = data.draw(mutated_bytes(reader.content))
    try:
        read_file(reader, content, folders)
    except OURS as error:
        assert reader.file.split('.')[0] in str(error), f'names no file: {error}'


def read_file(reader: Reader, content: bytes, folders: Iterator[Path]) -> None:
    folder = next(folders)
    folder.mkdir()
    (folder / reader.file).write_bytes(content)
    result = reader.read(folder)
    if isinstance(result, list) and result and isinstance(result[0], np.ndarray | float):
        assert all(np.isfinite(values).all() for values in result)
