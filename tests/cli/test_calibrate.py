"""A calibrated checkpoint: written, and used by the other tools."""

import json
import re

import pytest
import torch
from mmengine.config import Config

from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.datasets.depth_map_files import read_depth_png
from tests.depth.estimators.tiny import CONV
from tests.tools.run import run_tool
from tests.weight_files import write

FRAME = 'image_02/data/0000000000.png'


@pytest.fixture(scope='module')
def tiny(tmp_path_factory):
    """Config and checkpoint of a tiny depth model."""
    folder = tmp_path_factory.mktemp('tiny')
    torch.manual_seed(0)  # not what earlier tests left
    Config(dict(model=CONV, custom_imports=dict(imports=['hybrid_depth.modules']))).dump(
        folder / 'c.py'
    )
    return folder / 'c.py', write(
        build_model(Config.fromfile(folder / 'c.py')).state_dict(), folder / 'w.pth'
    )


@pytest.fixture(scope='module')
def calibrated(tiny, toy_kitti, tmp_path_factory):
    folder = tmp_path_factory.mktemp('calibrated')
    (image,) = toy_kitti.glob(f'*/*_0001_sync/{FRAME}')
    truth = read_depth_png(next(toy_kitti.rglob('*depth*/**/*0000000000.png')))
    points = folder / 'points.csv'
    # The drive's folder too: a fit to one point is exact, one to the frames of two drives is not.
    points.write_text(f'image,u,v,metres\n{image.relative_to(toy_kitti)},80,45,12.5\n')
    assert truth.any()
    arguments = (*tiny, '--root', toy_kitti, '--by', 'distances', '--distances', points)
    assert run_tool('calibrate.py', *arguments, '--out', folder / 'metric.pth') is None
    return folder / 'metric.pth', image


def test_depth_of_the_point_is_as_measured(tiny, calibrated, tmp_path, capsys):
    checkpoint, image = calibrated
    focal = (
        torch.load(checkpoint, weights_only=True)['meta']['depth_calibration']['cameras'][0][
            'focal'
        ]
        * 160
    )
    arguments = (image, tmp_path / 'out', '--config', tiny[0], '--checkpoint', checkpoint)
    camera = ('--intrinsics', focal, focal, 80, 24)
    assert run_tool('infer_depth.py', *arguments, *camera, '--numbers', 'png') is None
    assert 'measured points' in capsys.readouterr().out
    manifest = json.loads((tmp_path / 'out/manifest.json').read_text())
    assert manifest['kind'] == 'metric' and manifest['calibrations'][0]['near'] == 12.5
    depth = read_depth_png(tmp_path / 'out/depth' / image.name)
    assert depth[45, 80] == pytest.approx(12.5, abs=0.01)
    error = run_tool('infer_depth.py', *arguments, '--intrinsics', 2 * focal, focal, 80, 24)
    assert 'as the depth was calibrated for' in error
    assert 'omit it' in run_tool('infer_depth.py', *arguments, *camera, '--scale', 2)


def test_pseudo_depth_refuses_another_rig(tiny, calibrated, toy_infos, toy_nuscenes, tmp_path):
    checkpoint, _ = calibrated
    arguments = ('make_pseudo_depth.py', tiny[0], checkpoint, '--size', 64, 96)
    arguments += ('--infos', next(toy_infos.glob('*_train.pkl')), '--root', toy_nuscenes)
    error = run_tool(*arguments, '--out', tmp_path / 'out')
    assert re.search('as the depth was calibrated for, got', error)
    error = run_tool(*arguments, '--out', tmp_path / 'out', '--scale', 'ground')
    assert "expected scale 'none' for a calibrated model" in error


def test_mistakes(tiny, toy_kitti, tmp_path):
    base = ('calibrate.py', tiny[0], '--root', toy_kitti, '--out', tmp_path / 'm.pth')
    assert 'random weights' in run_tool(*base)
    assert '--distances' in run_tool(*base, '--by', 'distances')
    assert 'does not exist' in run_tool(*base, '--root', tmp_path / 'no')
    assert not (tmp_path / 'm.pth').exists()
