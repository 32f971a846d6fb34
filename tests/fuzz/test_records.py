"""Records with odd values: nuScenes tables, info files, and what a checkpoint says of itself."""

import json
import shutil
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine import dump

from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.engine.config import (
    build_runner,
    check_initial_weights,
    load_config,
    set_resume,
)
from hybrid_depth.errors import HybridDepthError
from hybrid_depth.info_files import read_infos
from tests.datasets.roots import fake_root
from tests.engine.tiny import CONFIG

from .conftest import EXAMPLES
from .mutations import mutated_record

OURS = (HybridDepthError, FileNotFoundError)
VERSION = 'v1.0-mini'
# others are not read
TABLES = ['calibrated_sensor', 'category', 'ego_pose', 'sample', 'sample_annotation', 'sample_data']
TABLES += ['instance', 'scene', 'sensor']
few = settings(max_examples=max(8, EXAMPLES // 5))


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return fake_root(tmp_path_factory.mktemp('nuscenes'))


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    out = tmp_path_factory.mktemp('records')
    return (out / str(number) for number in count())


@pytest.mark.parametrize('table', TABLES)
@few
@given(data=st.data())
def test_tables(table, root, folders, data):
    rows = json.loads((root / VERSION / f'{table}.json').read_text())
    mutated = data.draw(mutated_record(rows))
    copy = next(folders)
    shutil.copytree(root / VERSION, copy / VERSION)
    for name in ('samples', 'maps'):
        (copy / name).symlink_to(root / name)
    (copy / VERSION / f'{table}.json').write_text(json.dumps(mutated, default=str))
    try:
        create_nuscenes_infos(copy, VERSION)
    except OURS as error:
        assert table in str(error), f'names no table: {error}'
    else:
        read_all(copy, 'train')


@few
@given(data=st.data())
def test_infos(root, folders, data):
    content = read_infos(root / 'nuscenes_infos_train.pkl')
    content['data_list'] = content['data_list'][:2]
    folder = next(folders)
    folder.mkdir()
    (folder / 'samples').symlink_to(root / 'samples')
    dump(data.draw(mutated_record(content)), folder / 'nuscenes_infos_train.pkl')
    try:
        read_all(folder, 'train')
    except OURS as error:
        assert 'nuscenes_infos_train.pkl' in str(error) or 'samples' in str(error), error


def read_all(root: Path, split: str) -> None:
    """All samples of an info file; every number in them must be finite, cameras in use."""
    dataset = NuScenesBEVDataset(str(root), f'nuscenes_infos_{split}.pkl', pipeline=[])
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        for key in ('cam2img', 'cam2ego', 'ego2global', 'lidar2ego'):
            assert np.isfinite(info[key]).all(), key
        assert (np.abs(np.linalg.det(info['cam2img'])) > 1e-6).all()
        boxes = info['ann_info']['gt_bboxes_3d'].tensor
        assert torch.isfinite(boxes).all() and (boxes[:, 3:6] > 0).all()


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Config of a training of an epoch, and its checkpoint."""
    folder = tmp_path_factory.mktemp('trained')
    (folder / 'tiny.py').write_text(
        CONFIG.format(workers=0).replace('max_epochs=3', 'max_epochs=1')
    )
    train(folder / 'tiny.py', folder)
    return folder / 'tiny.py', load_checkpoint_file(folder / 'epoch_1.pth')


@few
@given(data=st.data())
def test_resume(trained, folders, data):
    config, checkpoint = trained
    folder = next(folders)
    folder.mkdir()
    state = {'state_dict', 'ema_state_dict'}
    rest = {key: value for key, value in checkpoint.items() if key not in state}
    mutated = data.draw(mutated_record(rest))
    torch.save({**{key: checkpoint[key] for key in state}, **mutated}, folder / 'a.pth')
    try:
        train(config, folder, resume=str(folder / 'a.pth'))
    except OURS as error:
        assert 'a.pth' in str(error), error


def train(config: Path, work_dir: Path, resume: str | None = None) -> None:
    cfg = load_config(config, str(work_dir), None, 'none')
    cfg.experiment_name = str(work_dir)  # trainings of one second would share a message hub
    if resume:
        set_resume(cfg, resume)
    check_initial_weights(cfg)
    build_runner(cfg).train()
