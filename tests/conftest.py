"""Fixtures for all tests."""

import os
import random
from pathlib import Path

os.environ['TRITON_INTERPRET'] = '1'  # kernels run on the CPU; read when triton is imported

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope

import hybrid_depth.modules  # noqa: F401 (registers everything, as configs do)

ROOT = Path(__file__).resolve().parents[1]
pytest_plugins = ['pytester', 'tests.golden.unread']


@pytest.fixture(autouse=True)
def _seed() -> None:
    """Every test has the same random numbers, independent of earlier tests."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _default_scope():
    """The registry scope of a test does not depend on runners of earlier tests."""
    DefaultScope._instance_dict.clear()


@pytest.fixture(scope='session')
def real_data() -> Path:
    """Folder with real data, named by HYBRID_DEPTH_REAL_DATA."""
    folder = Path(os.environ.get('HYBRID_DEPTH_REAL_DATA', ROOT / 'data/real'))
    if not folder.is_dir():
        pytest.skip(f'real data: no folder {folder} (set HYBRID_DEPTH_REAL_DATA)')
    return folder


def _toy_world(
    folders: pytest.TempPathFactory, layout: str, size: tuple[int, int], **kwargs
) -> Path:
    from hybrid_depth.toy_world import make_toy_world

    out = folders.mktemp('toy') / layout
    return make_toy_world(out, scenes=2, size=size, workers=2, layout=layout, **kwargs)


@pytest.fixture(scope='session')
def toy_nuscenes(tmp_path_factory) -> Path:
    """Toy nuScenes root: a scene of mini_train and one of mini_val, two keyframes each."""
    return _toy_world(tmp_path_factory, 'nuscenes', (64, 36), keyframes=2)


@pytest.fixture(scope='session')
def toy_infos(toy_nuscenes, tmp_path_factory) -> Path:
    """Folder of the info files of the toy nuScenes root."""
    from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos

    folder = tmp_path_factory.mktemp('infos')
    create_nuscenes_infos(toy_nuscenes, 'v1.0-mini', folder)
    return folder


@pytest.fixture(scope='session')
def toy_kitti(tmp_path_factory) -> Path:
    """Toy KITTI raw tree: a training drive and a held-out one, five frames each."""
    return _toy_world(tmp_path_factory, 'kitti', (160, 48), keyframes=1)


@pytest.fixture(scope='session')
def toy_lanes(tmp_path_factory) -> Path:
    """Toy TuSimple labels: a training image and a held-out one."""
    return _toy_world(tmp_path_factory, 'tusimple', (160, 90), keyframes=1)


@pytest.fixture(scope='session')
def toy_vehicle(tmp_path_factory) -> Path:
    """Toy own vehicle: a training drive and a held-out one, three keyframes each."""
    return _toy_world(tmp_path_factory, 'rig', (192, 128), keyframes=3)
