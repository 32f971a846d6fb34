"""Command line of depth evaluation."""

import json

import numpy as np
import pytest

from tests.tools.run import run_tool

TRUTH = np.random.default_rng(0).uniform(2, 60, (2, 24, 80)).astype(np.float32)


@pytest.fixture
def files(tmp_path):
    """Depth 10 % and 20 % too large, in another unit, and its ground truth."""
    np.save(tmp_path / 'truth.npy', TRUTH)
    np.save(tmp_path / 'predicted.npy', TRUTH * np.float32([[[0.55]], [[0.6]]]))
    return '--pred', tmp_path / 'predicted.npy', '--gt', tmp_path / 'truth.npy'


@pytest.mark.parametrize('scaling', [None, 'none', 'set_median'])
def test_scores_are_printed_and_written(files, tmp_path, capsys, scaling):
    ratios = 1 / np.array([0.55, 0.6])  # of truth and prediction
    scales = {None: ratios, 'none': 1.0, 'set_median': np.median(ratios)}
    expected = np.abs(scales[scaling] / ratios - 1).mean()
    options = ('--protocol', 'nuscenes_lidar', '--kind', 'depth', '--json', tmp_path / 'out.json')
    options += () if scaling is None else ('--scaling', scaling)
    assert run_tool('evaluate_depth.py', *files, *options) is None
    result = json.loads((tmp_path / 'out.json').read_text())
    name = 'nuscenes_lidar' + ('' if scaling is None else f'+{scaling}')
    assert result['protocol']['name'] == name and result['images'] == 2
    assert result['metrics']['abs_rel'] == pytest.approx(expected, abs=1e-6)
    output = capsys.readouterr().out
    assert f'protocol {name}: 2 images' in output and f'{expected:8.4f}' in output


def test_mirrored_disparity_is_averaged(files, tmp_path):
    np.save(tmp_path / 'predicted.npy', 1 / TRUTH)
    np.save(tmp_path / 'mirrored.npy', 1 / TRUTH[..., ::-1])
    options = ('--protocol', 'nuscenes_lidar', '--scaling', 'none', '--kind', 'disparity')
    options += ('--post-process-flip', tmp_path / 'mirrored.npy', '--json', tmp_path / 'out.json')
    assert run_tool('evaluate_depth.py', *files, *options) is None
    result = json.loads((tmp_path / 'out.json').read_text())
    assert result['metrics']['abs_rel'] == pytest.approx(0, abs=1e-6)
    assert 'mirrored.npy' in result['post_processing']


def test_mistakes_are_one_line(files):
    error = run_tool('evaluate_depth.py', *files, '--protocol', 'kitti', '--kind', 'depth')
    assert error.startswith('error: expected a protocol among kitti_eigen')
    options = ('--protocol', 'nuscenes_lidar', '--kind', 'disparity')
    assert 'they look like depth. Set --kind' in run_tool('evaluate_depth.py', *files, *options)
