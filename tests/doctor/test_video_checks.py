"""Planted faults of depth models' data."""

from collections.abc import Callable

import numpy as np
import pytest
from mmengine.config import Config

from hybrid_depth.doctor.case import Case
from hybrid_depth.doctor.video_checks import check_stereo, plane_error
from tests.conftest import ROOT
from tests.doctor.planted import faults


@pytest.fixture
def depth_case(toy_kitti) -> Callable[..., Case]:
    """Makes a case of the toy KITTI tree; options are those of the training set."""

    def make(config: str = 'monodepth2_r18_toy', **options) -> Case:
        cfg = Config.fromfile(ROOT / f'configs/toy/{config}.py')
        for part in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
            part.dataset.data_root = str(toy_kitti)
        cfg.train_dataloader.dataset.update(options)
        return Case(cfg)

    return make


def test_nothing_is_named_on_the_toy_drives(depth_case):
    assert list(faults(depth_case(frame_ids=(0, -1, 1, 's')))) == []


@pytest.mark.parametrize('baseline', [0.1, 0.54, 2.0])
def test_opposite_baseline(depth_case, baseline):
    case = depth_case(stereo_baseline=-baseline)
    assert dict(faults(case)).keys() == {'stereo baseline'}
    with pytest.raises(ValueError, match='times better with the opposite baseline; negate'):
        check_stereo(case)


def test_planes_do_not_depend_on_the_unit(depth_case):
    errors = [
        plane_error(depth_case(stereo_baseline=b).datasets['train_dataloader'].get_data_info(0), 1)
        for b in (0.1, 5.0)
    ]
    assert errors[0] == pytest.approx(errors[1], rel=1e-6)


@pytest.mark.parametrize('factor', [0.8, 1.1, 2.0])
def test_intrinsics_of_another_aspect(depth_case, factor):
    camera = np.array([0.58, 1.92, 0.5, 0.5]) * (factor, 1, 1, 1)
    found = dict(faults(depth_case(intrinsics=tuple(camera))))
    assert found.keys() == {'intrinsics'} and f'fx / fy = {factor:.1f}' in found['intrinsics']


def test_neighbours_that_are_the_frame_itself(depth_case):
    case = depth_case(frame_ids=(0, -1, 1))
    for info in case.datasets['train_dataloader'].get_data_info(0), :
        assert info['img_paths'][1] != info['img_paths'][0]
    dataset = case.datasets['train_dataloader']
    dataset.get_data_info = lambda place: {
        **type(dataset).get_data_info(dataset, place),
        'img_paths': dict.fromkeys((0, -1, 1), info['img_paths'][0]),
    }
    found = dict(faults(case))
    assert found.keys() == {'neighbours'} and '0.000 pixels' in found['neighbours']


def test_depth_range_below_the_ground_truth(depth_case):
    case = depth_case()
    case.cfg.model.update(min_depth=1.0, max_depth=20.0)
    found = dict(faults(case))
    assert found.keys() == {'depth range'} and '60.0 m at most' in found['depth range']
    case.cfg.model.max_depth = 30.0
    assert list(faults(case)) == []


def test_augmentation_in_the_test_pipeline(depth_case):
    case = depth_case()
    case.cfg.test_dataloader.dataset.pipeline.insert(1, dict(type='JitterFrames'))
    found = dict(faults(case))
    assert found.keys() == {'test augmentation'} and 'JitterFrames' in found['test augmentation']
