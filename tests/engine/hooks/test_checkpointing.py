import os
import signal
import subprocess
import sys

import pytest
from mmengine.runner import Runner

from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.engine.hooks.checkpointing import (
    AtomicCheckpointHook,
    AtomicLocalBackend,
    find_latest_checkpoint,
)
from tests.engine.kill_resume import ROOT
from tests.engine.tiny import tiny_config

KILLED_WHILE_SAVING = """
import os, signal, sys
from mmengine.runner import Runner
import hybrid_depth.depth_modules
from tests.engine.tiny import tiny_config
replaced = os.fsync
def fsync(file):
    if os.path.exists(sys.argv[1] + '/epoch_2.pth'):
        os.ftruncate(file, 100)  # the disk has only a part of the third checkpoint
        os.kill(os.getpid(), signal.SIGKILL)
    replaced(file)
os.fsync = fsync
cfg = tiny_config(sys.argv[1])
cfg.default_hooks.checkpoint.max_keep_ckpts = 2
Runner.from_cfg(cfg).train()
"""


def test_kill_during_save_keeps_the_previous_checkpoint(tmp_path):
    done = subprocess.run(
        [sys.executable, '-c', KILLED_WHILE_SAVING, str(tmp_path)],
        env=dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1'),
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    (part,) = tmp_path.glob('.epoch_3.pth.*')
    assert part.stat().st_size == 100
    latest = find_latest_checkpoint(tmp_path)
    assert latest == tmp_path / 'epoch_2.pth'
    assert (tmp_path / 'last_checkpoint').read_text() == str(latest)
    assert load_checkpoint_file(latest)['meta']['epoch'] == 2


def test_training_keeps_the_newest_and_leaves_no_temporary_file(tmp_path):
    cfg = tiny_config(tmp_path)
    cfg.default_hooks.checkpoint.max_keep_ckpts = 2
    (tmp_path / '.epoch_1.pth.123').touch()  # of a run killed while writing
    Runner.from_cfg(cfg).train()
    names = sorted(path.name for path in tmp_path.iterdir() if path.is_file())
    assert [name for name in names if 'epoch' in name] == ['epoch_2.pth', 'epoch_3.pth']


def test_max_keep_ckpts_of_one_is_rejected():
    with pytest.raises(ValueError, match='at least 2'):
        AtomicCheckpointHook(max_keep_ckpts=1)


def test_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'deep' / 'file.pth'
    backend = AtomicLocalBackend()
    backend.put(b'old', path)

    def no_space(file):
        raise OSError('No space left on device')

    monkeypatch.setattr(os, 'fsync', no_space)
    with pytest.raises(OSError, match='No space'):
        backend.put(b'new', path)
    assert path.read_bytes() == b'old'


@pytest.mark.parametrize('pointer', [None, '', '/gone/epoch_9.pth'])
def test_latest_checkpoint_without_a_valid_pointer(tmp_path, pointer):
    for name in ('epoch_2.pth', 'epoch_10.pth', '.epoch_11.pth.7', 'best_NDS_epoch_12.pth'):
        (tmp_path / name).touch()
    if pointer is not None:
        (tmp_path / 'last_checkpoint').write_text(pointer)
    assert find_latest_checkpoint(tmp_path) == tmp_path / 'epoch_10.pth'


def test_latest_checkpoint_in_a_moved_folder(tmp_path):
    (tmp_path / 'epoch_2.pth').touch()
    (tmp_path / 'epoch_3.pth').touch()
    (tmp_path / 'last_checkpoint').write_text('/old/place/epoch_2.pth')
    assert find_latest_checkpoint(tmp_path) == tmp_path / 'epoch_2.pth'
    assert find_latest_checkpoint(tmp_path / 'empty') is None


def test_scheduler_that_cannot_be_resumed_is_rejected_before_training(tmp_path):
    # A 12-epoch toy run with OneCycleLR ended in a checkpoint that tools/test.py would not load.
    cfg = tiny_config(tmp_path)
    cfg.param_scheduler = [dict(type='OneCycleLR', eta_max=0.1, total_steps=100, by_epoch=False)]
    with pytest.raises(ValueError, match='OneCycleLR.*CosineAnnealingLR'):
        Runner.from_cfg(cfg).train()
    assert not list(tmp_path.glob('*.pth'))
