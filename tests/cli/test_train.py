"""`hybrid-depth train`: what its options change in a config."""

import os
from types import SimpleNamespace

import pytest

from hybrid_depth.engine import config as config_tools
from tests.tools.run import run_tool

CONFIG = """
optim_wrapper = dict(type='OptimWrapper')
auto_scale_lr = dict(enable=False, base_batch_size=8)
"""


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Runs the tool with options; gives the config that is trained."""
    path, trained = tmp_path / 'net.py', []
    path.write_text(CONFIG)
    monkeypatch.setenv('LOCAL_RANK', '3')  # of a launcher
    monkeypatch.setattr(config_tools, 'get_device', lambda: 'cpu')
    monkeypatch.setattr(
        config_tools,
        'build_runner',
        lambda cfg: SimpleNamespace(train=lambda: trained.append(cfg)),
    )

    def run(*options: str):
        assert run_tool('train.py', path, '--work-dir', tmp_path, *options) is None
        return trained[-1]

    return run


def test_without_options_the_config_is_as_it_was(train):
    cfg = train()
    assert cfg.optim_wrapper.type == 'OptimWrapper' and not cfg.auto_scale_lr.enable
    assert not {'sync_bn', 'resume', 'load_from'} & set(cfg)
    assert [hook.type for hook in cfg.custom_hooks] == ['InitialWeightsHook', 'ChannelOrderHook']


def test_options(train, tmp_path):
    cfg = train('--amp', '--sync_bn', 'torch', '--auto-scale-lr')
    assert cfg.optim_wrapper.type == 'BFloat16OptimWrapper'
    assert cfg.sync_bn == 'torch' and cfg.auto_scale_lr.enable
    (tmp_path / 'epoch_2.pth').touch()
    cfg = train('--resume')
    assert cfg.resume and cfg.load_from == str(tmp_path / 'epoch_2.pth')


def test_the_rank_of_the_launcher_counts(train):
    train('--local_rank', '1')
    assert os.environ['LOCAL_RANK'] == '3'


def test_random_transforms_in_validation_are_refused(tmp_path):
    path = tmp_path / 'net.py'
    pipeline = [dict(type='JitterFrames')]
    loader = dict(dataset=dict(type='KittiRawDataset', pipeline=pipeline))
    path.write_text(f'{CONFIG}\nval_dataloader = {loader}')
    error = run_tool('train.py', path, '--work-dir', tmp_path)
    assert 'val_dataloader without random augmentation, got JitterFrames' in error


def test_a_training_of_no_epochs_is_refused(tmp_path):
    (tmp_path / 'net.py').write_text(CONFIG + 'train_cfg = dict(max_epochs=0)')
    error = run_tool('train.py', tmp_path / 'net.py', '--work-dir', tmp_path)
    assert 'max_epochs as a whole number above 0, got 0' in error
