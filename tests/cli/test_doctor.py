"""`hybrid-depth doctor`: lines, images and exit code."""

import pytest
import torch

from tests.doctor.planted import toy_config
from tests.tools.run import run_tool


@pytest.fixture
def config(toy_nuscenes, toy_infos, tmp_path, monkeypatch):
    monkeypatch.setattr('logging.disable', lambda level: None)  # for the tests after this one
    path = tmp_path / 'mine.py'
    toy_config(toy_nuscenes, toy_infos).dump(path)
    return path


def test_sound_config(config, tmp_path, capsys):
    assert run_tool('doctor.py', config, '--out', tmp_path / 'out') is None
    output = capsys.readouterr().out
    states = [line.split()[0] for line in output.splitlines() if ': ' in line[:60]]
    assert 'fault' not in states and states.count('ok') >= 14
    assert len(list((tmp_path / 'out').glob('CAM_*.png'))) == 6


def test_faults_of_the_checkpoint(config, tmp_path, capsys):
    meta = dict(input_channel_order='bgr', dataset_meta=dict(classes=('car', 'bus')))
    torch.save(dict(meta=meta, state_dict={}), tmp_path / 'x.pth')
    error = run_tool('doctor.py', config, tmp_path / 'x.pth', '--out', tmp_path / 'out')
    assert error == '2 faults found'
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith('fault')]
    assert 'class order: ' in lines[0] and 'got car, bus' in lines[0]
    assert 'channel order of weights: ' in lines[1] and "channel_order 'bgr'" in lines[1]
