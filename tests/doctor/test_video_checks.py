"""Planted faults of depth models' data."""

from collections.abc import Callable

import numpy as np
import pytest
from mmengine.config import Config

from hybrid_depth.doctor.case import Case
from hybrid_depth.doctor.video_checks import (
    check_depth_limits,
    check_intrinsics,
    check_neighbours,
    check_stereo,
)
from hybrid_depth.findings import ConventionError, NotCheckedError
from tests.conftest import ROOT
from tests.doctor.planted import faults


@pytest.fixture
def depth_case(toy_kitti) -> Callable[..., Case]:
    """Makes a case of the toy KITTI tree; options are those of the training set."""

    def make(config: str = 'monodepth2_r18_toy', **options) -> Case:
        cfg = Config.fromfile(ROOT / f'configs/toy/{config}.py')
        for part in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
            part.dataset.update(data_root=str(toy_kitti), serialize_data=False)
        cfg.train_dataloader.dataset.update(options)
        return Case(cfg)

    return make


def test_nothing_is_named_on_the_toy_drives(depth_case):
    assert list(faults(depth_case(frame_ids=(0, -1, 1, 's')))) == []


@pytest.mark.parametrize('baseline', [0.1, 2.0])
def test_opposite_baseline(depth_case, baseline):
    with pytest.raises(ConventionError, match='times better with the opposite baseline; negate'):
        check_stereo(depth_case(stereo_baseline=-baseline))
    assert 'times better' in check_stereo(depth_case(stereo_baseline=baseline))


@pytest.mark.parametrize('factor', [0.8, 1.1, 2.0])
def test_intrinsics_of_another_aspect(depth_case, factor):
    camera = np.array([0.58, 1.92, 0.5, 0.5]) * (factor, 1, 1, 1)
    with pytest.raises(ConventionError, match=f'fx / fy = {factor:.1f}'):
        check_intrinsics(depth_case(intrinsics=tuple(camera)))


def test_neighbours_that_are_the_frame_itself(depth_case, monkeypatch):
    case = depth_case(frame_ids=(0, -1, 1))
    check_neighbours(case)
    dataset = case.datasets['train_dataloader']
    info = dataset.get_data_info(0)
    info['img_paths'] = dict.fromkeys(info['img_paths'], info['img_paths'][0])
    monkeypatch.setattr(dataset, 'get_data_info', lambda place: info)
    with pytest.raises(ConventionError, match='train_dataloader .* 0.0.. pixels'):
        check_neighbours(case)


def test_depth_range_below_the_ground_truth(depth_case):
    case = depth_case()
    case.cfg.model.update(min_depth=1.0, max_depth=20.0)
    with pytest.raises(ConventionError, match='60.0 m at most, if 3 m is the nearest'):
        check_depth_limits(case)
    case.cfg.model.max_depth = 30.0
    assert 'covers the 80 m' in check_depth_limits(case)
    case.cfg.test_evaluator.protocol = dict(name='metres', scaling='none')
    with pytest.raises(ConventionError, match='80 m of test_evaluator.* 30.0 m at most;'):
        check_depth_limits(case)


def test_no_videos(depth_case):
    case = depth_case(frame_ids=(0,))
    with pytest.raises(NotCheckedError, match='no stereo frames'):
        check_stereo(case)
