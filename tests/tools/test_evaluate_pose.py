"""Command line of pose evaluation."""

import json

import numpy as np
import pytest

from hybrid_depth.depth.evaluation.pose_metrics import motions_of, snippet_errors
from tests.depth.evaluation.test_pose_metrics import drive, write_poses
from tests.tools.run import run_tool


@pytest.fixture
def files(tmp_path):
    """Predicted motions and ground-truth poses."""
    write_poses(drive(), tmp_path / '09.txt')
    np.save(tmp_path / 'motions.npy', motions_of(drive(seed=1)))
    return '--pred', tmp_path / 'motions.npy', '--gt', tmp_path / '09.txt'


@pytest.mark.parametrize('frames', [None, 3])
def test_errors_are_printed_and_written(files, tmp_path, capsys, frames):
    options = () if frames is None else ('--frames', frames)
    out = tmp_path / 'out.json'
    assert run_tool('evaluate_pose.py', *files, *options, '--json', out) is None
    errors = snippet_errors(motions_of(drive(seed=1)), motions_of(drive()), frames or 5)
    output = f'{frames or 5}-frame error {errors.mean():.4f} ± {errors.std():.4f} m\n'
    assert capsys.readouterr().out == output
    result = json.loads(out.read_text())
    assert result['ate_mean'] == pytest.approx(errors.mean())
    assert result['protocol'] == f'kitti_odometry_{frames or 5}_frames'


def test_poses_as_predictions(files, capsys):
    assert run_tool('evaluate_pose.py', '--pred', files[3], *files[2:]) is None
    assert capsys.readouterr().out.startswith('5-frame error 0.0000 ')


def test_mistakes_are_one_line(files, tmp_path):
    error = run_tool('evaluate_pose.py', *files[:3], tmp_path / 'absent.txt')
    assert error.startswith('error: ') and 'absent.txt' in error
    np.save(tmp_path / 'motions.npy', motions_of(drive(4)))
    assert 'got 3 and 8' in run_tool('evaluate_pose.py', *files)
