"""Command line of testing: visualizations and window."""

import json

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from mmengine.config import Config
from PIL import Image

from hybrid_depth.checkpoints.build import build_model
from tests.conftest import ROOT
from tests.depth.estimators.tiny import CONV
from tests.tools.run import run_tool

FRAMES = 3  # of five, those with both neighbours


@pytest.fixture
def trained(toy_kitti, tmp_path):
    """Config and checkpoint of a tiny depth model, on the held-out toy drive."""
    cfg = Config.fromfile(ROOT / 'configs/toy/monodepth2_r18_toy.py')
    cfg.model = dict(CONV, min_depth=2.0, max_depth=20.0)
    cfg.test_dataloader.update(num_workers=0)
    cfg.test_dataloader.dataset.data_root = str(toy_kitti)
    cfg.test_evaluator.truth = str(tmp_path / 'truth.npy')
    np.save(tmp_path / 'truth.npy', np.random.uniform(2, 60, (FRAMES, 48, 160)).astype('f4'))
    cfg.dump(tmp_path / 'tiny.py')
    torch.save(dict(state_dict=build_model(cfg).state_dict()), tmp_path / 'tiny.pth')
    return tmp_path / 'tiny.py', tmp_path / 'tiny.pth', '--work-dir', tmp_path / 'out'


def test_images_are_written_and_shown(trained, tmp_path, monkeypatch):
    paused = []
    switch, backend = plt.switch_backend, plt.get_backend()
    monkeypatch.setenv('DISPLAY', ':0')
    monkeypatch.setattr(plt, 'switch_backend', lambda name: switch('agg'))
    monkeypatch.setattr(plt, 'pause', paused.append)
    assert run_tool('test.py', *trained, '--show', '--wait-time', '0.25') is None
    switch(backend)
    assert paused == [0.25] * FRAMES
    visualizations = list((tmp_path / 'out/visualizations/color').glob('*.png'))
    assert len(visualizations) == FRAMES and Image.open(visualizations[0]).size[0] >= 320
    scores = json.loads((tmp_path / 'out/depth_metrics.json').read_text())
    assert scores['images'] == FRAMES and scores['metrics']['abs_rel'] > 0


def test_a_window_needs_a_screen(trained, tmp_path, monkeypatch):
    monkeypatch.setattr('sys.platform', 'linux')
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    error = run_tool('test.py', *trained, '--show')
    assert error.startswith('error: --show expected a screen') and '--show-dir FOLDER' in error
    assert run_tool('test.py', *trained, '--show-dir', tmp_path / 'visualizations') is None
    assert len(list((tmp_path / 'visualizations/color').glob('*.png'))) == FRAMES


def test_checkpoints_of_another_model_are_not_scored(trained, tmp_path):
    state = torch.load(tmp_path / 'tiny.pth', weights_only=True)
    del state['state_dict']['pose_net.pose_conv.bias']
    torch.save(state, tmp_path / 'tiny.pth')
    error = run_tool('test.py', *trained)
    assert error.startswith('error: ') and 'pose_net.pose_conv.bias' in error
    assert not (tmp_path / 'out/depth_metrics.json').exists()
