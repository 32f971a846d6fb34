"""Pseudo depth of a depth model by name, without a checkpoint."""

import json

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from hybrid_depth.datasets.depth_map_files import read_pseudo_depth
from hybrid_depth.datasets.nuscenes.names import CAMERAS
from tests.depth.estimators.teachers import tiny
from tests.tools.run import run_tool

pytest.importorskip('transformers')


def test_a_teacher_labels_keyframes_except_the_vehicle_itself(toy_infos, toy_nuscenes, tmp_path):
    folder = tiny.save(tiny.depth_anything_metric(), tmp_path / 'teacher')
    config = tmp_path / 'teacher.py'
    Config(dict(model=dict(type='TransformersDepth', name=str(folder)))).dump(config)
    masks = tmp_path / 'masks'
    masks.mkdir()
    for name in CAMERAS:
        mask = np.zeros((36, 64), np.uint8)
        mask[28:] = 255
        Image.fromarray(mask).save(masks / f'{name}.png')
    out = tmp_path / 'out'
    arguments = (config, '--infos', toy_infos / 'nuscenes_infos_train.pkl', '--size', 72, 128)
    arguments += ('--root', toy_nuscenes, '--out', out, '--scale', 'none')
    arguments += ('--mirror-tolerance', 100, '--ego-masks', masks)
    assert run_tool('make_pseudo_depth.py', *arguments) is None
    files = sorted(out.glob('CAM_*/*.png'))
    assert len(files) == 12
    for file in files:
        depth, _ = read_pseudo_depth(file)
        assert depth.shape == (72, 128)
        assert not depth[57:].any() and (depth[:55] > 0).mean() > 0.5
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['checkpoint'] is None and manifest['ego_masks'] == str(masks)
    (masks / 'CAM_BACK.png').unlink()
    error = run_tool('make_pseudo_depth.py', *arguments[:-1], masks, '--device', 'cpu')
    assert 'CAM_BACK.png of camera CAM_BACK' in error
