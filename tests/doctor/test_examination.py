"""Twelve kinds of faults are planted and named; the toy world and a real keyframe have none."""

import os
import re

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import TRANSFORMS

from hybrid_depth.datasets.image_files import open_image
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.doctor.case import Case
from hybrid_depth.doctor.examination import checks_of
from hybrid_depth.findings import examine
from tests.conftest import ROOT
from tests.doctor import planted
from tests.doctor.planted import faults


@TRANSFORMS.register_module()
class ReverseChannels:
    """BGR images, as those of mmcv's loader."""

    def __call__(self, results: dict) -> dict:
        results['inputs']['img'] = results['inputs']['img'].flip(1)
        return results


@TRANSFORMS.register_module()
class SquashImages:
    """Images resized without regard to their aspect; img_aug is that of the resize and crop."""

    def __call__(self, results: dict) -> dict:
        size = results['img'][0].size
        results['img'] = [open_image(path).resize(size) for path in results['img_path']]
        return results


def with_transform(case: Case, kind: str, place: int) -> Case:
    pipeline = case.cfg.train_dataloader.dataset.dataset.pipeline
    pipeline.insert(place, dict(type=kind))
    return case


def no_order(info: dict) -> None:
    """An info file of mmdet3d: no scene, no neighbours."""
    for key in ('prev', 'next', 'scene_token', 'frame_idx'):
        del info[key]


PLANTED = [
    ('images', 'channel order of images', 'got BGR'),
    ('weights', 'channel order of weights', "got 'bgr'|got 'rgb'"),
    (planted.relabel(planted.MMDET3D_ORDER), 'class sizes', 'barrier of the size of'),
    (planted.yaw(lambda yaw: -yaw), 'box yaw', 'a yaw clockwise;'),
    (planted.yaw(lambda yaw: yaw + np.pi / 2), 'box yaw', 'turned by 90 degrees'),
    (planted.yaw(lambda yaw: yaw + np.pi), 'box yaw', 'opposite to their heading'),
    (planted.edit_boxes(planted.swapped), 'info schema', 'cars about 2.4 times as long as wide'),
    (planted.edit_boxes(planted.to_ego), 'box frame', 'in the ego frame'),
    ('squash', 'image resize', 'without regard to its aspect'),
    (planted.turn_cameras('y', 10), 'camera extrinsics', 'turned by -10 degrees'),
    (planted.turn_cameras('z', 45), 'camera extrinsics', 'edges of LiDAR'),
    (planted.move_lidar(planted.rotation('z', 45)), 'camera headings and order', 'CAM_'),
    (planted.move_lidar(planted.rotation('x', 4)), 'ego frame', '4.0 degrees'),
    (
        planted.exchange_calibrations('CAM_FRONT', 'CAM_FRONT_RIGHT'),
        'camera headings and order',
        'CAM_FRONT to look towards 0 degrees',
    ),
    ('ema', 'averaged weights', 'a training without'),
    ('augmentation', 'test augmentation', r'ImageAugmentation\(random=True\)'),
    (no_order, 'info schema', 'prev, next, scene_token'),
    ('bins', 'depth bins', 'depth_range'),
]


@pytest.fixture
def with_fault(toy_case):
    """Makes the case of a planted fault."""

    def make(fault) -> Case:
        if callable(fault):
            config = 'bevdet4d_toy' if fault is no_order else 'bevdet_depth_toy'
            return toy_case(fault, config)
        case = toy_case()
        if fault == 'images':
            return with_transform(case, 'ReverseChannels', 7)
        if fault == 'squash':
            return with_transform(case, 'SquashImages', 3)
        if fault == 'weights':
            meta = dict(input_channel_order='bgr')
            return Case(case.cfg, dict(meta=meta, state_dict={}), 'x.pth')
        if fault == 'ema':
            case.cfg.custom_hooks = [dict(type='EMAHook')]
            return Case(case.cfg, dict(meta=dict(iter=4), state_dict={}), 'x.pth')
        if fault == 'augmentation':
            case.cfg.test_dataloader.dataset.pipeline[1].random = True
        if fault == 'bins':
            case.cfg.model.img_view_transformer.depth_bins.stop = 112.0
        return case

    return make


IDS = [f'{check}-{place}'.replace(' ', '-') for place, (_, check, _) in enumerate(PLANTED)]


@pytest.mark.parametrize(('fault', 'check', 'text'), PLANTED, ids=IDS)
def test_planted_faults_are_named(fault, check, text, with_fault):
    case = with_fault(fault)
    function = dict(checks_of(case.cfg))[check]
    (finding,) = examine([(check, function)], case)
    assert finding.state == 'fault' and re.search(text, finding.text), finding


@pytest.mark.slow
@pytest.mark.parametrize(('fault', 'check', 'text'), PLANTED, ids=IDS)
def test_nothing_else_is_named(fault, check, text, with_fault):
    assert dict(faults(with_fault(fault))).keys() == {check}


def test_nothing_is_named_on_the_toy_world(toy_case):
    assert list(faults(toy_case())) == []


def test_nothing_is_named_on_a_real_keyframe(real_data, tmp_path, monkeypatch):
    root = real_data / 'nuscenes_keyframe'
    create_nuscenes_infos(root, 'v1.0-mini', tmp_path)
    monkeypatch.setenv('HYBRID_DEPTH_NUSCENES', str(root))
    folder = os.path.relpath(tmp_path, ROOT)
    monkeypatch.setenv('HYBRID_DEPTH_INFOS', folder)
    name = 'configs/bevdet/bevdet_r18_1xb1-300iter_nus-keyframe_256x704.py'
    assert list(faults(Case(Config.fromfile(ROOT / name)))) == []
