"""Resuming from checkpoints whose entries are not those of a training."""

import pytest
import torch

from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.checkpoints.safe_load import DamagedCheckpointError
from hybrid_depth.config_errors import explained
from hybrid_depth.engine.config import build_runner, load_config, set_resume
from hybrid_depth.errors import ConfigError

from .tiny import CONFIG


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp('trained')
    build_runner(config(folder, epochs=1)).train()
    return load_checkpoint_file(folder / 'epoch_1.pth')


def config(folder, epochs):
    text = CONFIG.format(workers=0).replace('max_epochs=3', f'max_epochs={epochs}')
    (folder / 'tiny.py').write_text(text)
    cfg = load_config(folder / 'tiny.py', str(folder), None, 'none')
    cfg.experiment_name = str(folder)  # runners of one second would share a message hub
    return cfg


@pytest.mark.parametrize(
    ('entry', 'value'),
    [
        ('param_schedulers', [1]),
        ('param_schedulers', None),
        ('meta', dict(epoch=1, iter=3, seed='a')),
        ('meta', dict(epoch=1, iter=3, seed=-1)),
    ],
)
def test_other_entries(tmp_path, checkpoint, entry, value):
    torch.save({**checkpoint, entry: value}, tmp_path / 'a.pth')
    cfg = config(tmp_path, epochs=2)
    set_resume(cfg, str(tmp_path / 'a.pth'))
    with pytest.raises(DamagedCheckpointError, match=r'a\.pth: expected the state'):
        build_runner(cfg).train()


def test_other_marks_of_the_message_hub(tmp_path, checkpoint):
    """mmengine reads them in hooks, after `resume`."""
    hub = dict(checkpoint['message_hub'], resumed_keys={'dataset_meta': None})
    torch.save({**checkpoint, 'message_hub': hub}, tmp_path / 'a.pth')
    cfg = config(tmp_path, epochs=2)
    set_resume(cfg, str(tmp_path / 'a.pth'))
    with pytest.raises(DamagedCheckpointError, match=r'a\.pth: expected the state'):
        build_runner(cfg).train()


def test_a_last_batch_of_one_sample(tmp_path):
    """Batch normalisation of one value a channel ended in torch's traceback."""
    cfg = config(tmp_path, epochs=1)
    cfg.train_dataloader.batch_size = 5
    with pytest.raises(ConfigError, match=r'train_dataloader\.drop_last=True'), explained(cfg):
        build_runner(cfg).train()
