import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS, MODELS
from mmengine.runner import Runner

from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError
from hybrid_depth.engine.hooks.checkpointing import (
    AtomicCheckpointHook,
    AtomicLocalBackend,
    find_latest_checkpoint,
)
from hybrid_depth.errors import HybridDepthError
from tests.engine.kill_resume import ROOT
from tests.engine.tiny import TinyModel, tiny_config

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
    (tmp_path / '.epoch_1.pth.part-0123456789abcdef').touch()  # of a run killed while it wrote
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


@pytest.mark.parametrize('unit', ['epoch', 'iter'])
@pytest.mark.parametrize('pointer', [None, '', '/gone/epoch_9.pth'])
def test_latest_checkpoint_without_a_valid_pointer(tmp_path, pointer, unit):
    for number in ('2.pth', '10.pth'):
        (tmp_path / f'{unit}_{number}').touch()
    for name in ('.epoch_11.pth.7', 'best_NDS_epoch_12.pth'):
        (tmp_path / name).touch()
    if pointer is not None:
        (tmp_path / 'last_checkpoint').write_text(pointer)
    assert find_latest_checkpoint(tmp_path) == tmp_path / f'{unit}_10.pth'


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


@MODELS.register_module()
class ValidTinyModel(TinyModel):
    """It can be validated."""

    def forward(self, inputs: list, mode: str = 'loss') -> dict | list:
        return super().forward(inputs) if mode == 'loss' else inputs


@METRICS.register_module()
class FallingMetric(BaseMetric):
    """Better at every epoch."""

    calls = 0

    def process(self, data_batch, data_samples) -> None:
        self.results.append(0)

    def compute_metrics(self, results: list) -> dict:
        FallingMetric.calls += 1
        return dict(fall=-FallingMetric.calls)


def keeps_the_best(work_dir: Path) -> Config:
    """A tiny training with a validation."""
    cfg = tiny_config(work_dir)
    cfg.val_dataloader = dict(cfg.train_dataloader, sampler=dict(type='DefaultSampler'))
    cfg.val_cfg = dict()
    cfg.val_evaluator = dict(type='FallingMetric')
    cfg.default_hooks.checkpoint.update(save_best='fall', rule='less', max_keep_ckpts=2)
    cfg.model.type = 'ValidTinyModel'
    cfg.train_cfg.val_interval = 1
    return cfg


HOSTILE_PATHS = [
    '{victim}',
    '../precious/thesis.tex',
    '{victim}/..',
    7,
    None,
    ['{victim}'],
    '',
    '.',
]


@pytest.mark.parametrize('said', HOSTILE_PATHS, ids=str)
def test_a_checkpoint_cannot_have_files_of_others_deleted(first_epoch, tmp_path, said, monkeypatch):
    """mmengine removes the best checkpoint so far, wherever the one it goes on from says it is."""
    victim = tmp_path / 'precious' / 'thesis.tex'
    victim.parent.mkdir()
    victim.write_text('my thesis')
    work = tmp_path / 'work'
    monkeypatch.chdir(tmp_path)
    said = json.loads(json.dumps(said).replace('{victim}', str(victim)))
    checkpoint = resumable(first_epoch, work)
    checkpoint['message_hub']['runtime_info']['best_ckpt'] = said
    finish(work, checkpoint)
    assert victim.read_text() == 'my thesis'
    assert len(list(work.glob('best_fall_epoch_*.pth'))) >= 1


@pytest.mark.parametrize('said', [['x/../../precious/thesis'], [1, {}], 'text', 3, [None] * 9])
def test_nor_by_the_numbers_of_those_to_be_replaced(first_epoch, tmp_path, said):
    victim = tmp_path / 'precious' / 'thesis.pth'
    work = tmp_path / 'work'
    checkpoint = resumable(first_epoch, work)
    victim.parent.mkdir()
    victim.write_text('my thesis')
    (work / 'epoch_x').mkdir()
    checkpoint['message_hub']['runtime_info']['keep_ckpt_ids'] = said
    finish(work, checkpoint)
    assert victim.read_text() == 'my thesis' and (work / 'epoch_3.pth').exists()


def test_the_best_so_far_is_replaced_and_found_in_a_moved_folder(first_epoch, tmp_path):
    checkpoint = resumable(first_epoch, tmp_path / 'old')
    (tmp_path / 'old').rename(tmp_path / 'new')
    finish(tmp_path / 'new', checkpoint)
    assert [path.name for path in (tmp_path / 'new').glob('best_*')] == ['best_fall_epoch_3.pth']


@pytest.fixture(scope='module')
def first_epoch(tmp_path_factory) -> Path:
    """Work directory of a training that was stopped after its first epoch."""
    cfg = keeps_the_best(tmp_path_factory.mktemp('first') / 'work')
    cfg.train_cfg.max_epochs = 1
    Runner.from_cfg(cfg).train()
    return Path(cfg.work_dir)


def resumable(first_epoch: Path, work: Path) -> dict:
    """A copy of that work directory, and its checkpoint as if it had been written there."""
    shutil.copytree(first_epoch, work)
    checkpoint = load_checkpoint_file(work / 'epoch_1.pth')
    messages = checkpoint['message_hub']['runtime_info']
    assert Path(messages['best_ckpt']) == first_epoch / 'best_fall_epoch_1.pth'
    messages['best_ckpt'] = str(work / 'best_fall_epoch_1.pth')
    return checkpoint


def finish(work: Path, checkpoint: dict) -> None:
    """Go on from a checkpoint to the end of the third epoch."""
    torch.save(checkpoint, work / 'changed.pth')
    cfg = keeps_the_best(work)
    cfg.resume, cfg.load_from, cfg.experiment_name = True, str(work / 'changed.pth'), 'again'
    Runner.from_cfg(cfg).train()


def test_the_config_in_a_checkpoint_is_not_run(first_epoch, tmp_path):
    """mmengine executes it on `resume`, from the file named or the newest in the work dir."""
    marker = tmp_path / 'code-has-run'
    checkpoint = resumable(first_epoch, tmp_path / 'work')
    assert 'AdamW' in checkpoint['meta']['cfg']
    program = f'open({str(marker)!r}, "w")'
    checkpoint['meta'].update(config=program, cfg=program)
    checkpoint['message_hub']['runtime_info']['cfg'] = program
    finish(tmp_path / 'work', checkpoint)
    assert not marker.exists()
    last = load_checkpoint_file(tmp_path / 'work' / 'epoch_3.pth')
    assert 'AdamW' in last['meta']['cfg']
    assert 'AdamW' in last['message_hub']['runtime_info']['cfg']  # this run's, not the file's


def test_the_program_is_real(tmp_path):
    """Guards the test above."""
    marker = tmp_path / 'code-has-run'
    Config.fromstring(f'open({str(marker)!r}, "w")', '.py')
    assert marker.exists()


COMPLETE = dict(
    state_dict={},
    meta=dict(epoch=1, iter=3),
    message_hub=dict(log_scalars={}, runtime_info={}, resumed_keys={}),
    optimizer=dict(state={}, param_groups=[]),
)
ODD = {
    'weights alone': dict(net=torch.ones(2)),
    'no meta': {key: value for key, value in COMPLETE.items() if key != 'meta'},
    'no messages': {key: value for key, value in COMPLETE.items() if key != 'message_hub'},
    'no optimiser': {key: value for key, value in COMPLETE.items() if key != 'optimizer'},
    'nothing': {},
    'a list': [1, 2],
    'a tensor': torch.ones(2),
    'text': 'checkpoint',
    'None': None,
    'meta None': dict(COMPLETE, meta=None),
    'meta text': dict(COMPLETE, meta='epoch=1'),
    'epoch text': dict(COMPLETE, meta=dict(epoch='1', iter=3)),
    'epoch negative': dict(COMPLETE, meta=dict(epoch=-1, iter=3)),
    'epoch broken': dict(COMPLETE, meta=dict(epoch=1.5, iter=3)),
    'iter true': dict(COMPLETE, meta=dict(epoch=1, iter=True)),
    'iter absent': dict(COMPLETE, meta=dict(epoch=1)),
    'messages text': dict(COMPLETE, message_hub='x'),
    'messages cut': dict(COMPLETE, message_hub=dict(log_scalars={}, runtime_info={})),
    'messages lists': dict(
        COMPLETE, message_hub=dict(log_scalars=[], runtime_info=[], resumed_keys=[])
    ),
}


@pytest.mark.parametrize('name', ODD)
def test_what_cannot_be_resumed_is_named(tmp_path, name):
    torch.save(ODD[name], tmp_path / 'odd.pth')
    cfg = tiny_config(tmp_path / 'work')
    cfg.resume, cfg.load_from = True, str(tmp_path / 'odd.pth')
    cfg.custom_hooks = []
    with pytest.raises(HybridDepthError, match='odd.pth: expected') as caught:
        Runner.from_cfg(cfg).train()
    if isinstance(caught.value, CheckpointMismatchError):
        assert 'load_from=FILE' in str(caught.value)
    assert not list((tmp_path / 'work').glob('*.pth'))
