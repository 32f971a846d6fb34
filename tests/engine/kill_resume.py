"""Comparison of an uninterrupted training with a killed and resumed one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import torch
from mmengine.config import Config

from hybrid_depth.checkpoints import load_checkpoint_file

ROOT = Path(__file__).resolve().parents[2]


def train(config: Path, work_dir: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run `tools/train.py`; `tests` is importable in it, and one thread makes sums repeatable."""
    command = [sys.executable, ROOT / 'tools' / 'train.py', config, '--work-dir', work_dir]
    env = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
    return subprocess.run(
        [*map(str, command), *arguments], env=env, cwd=ROOT, capture_output=True, text=True
    )


def different_entries(first: dict, second: dict, prefix: str = '') -> list[str]:
    """Names of tensors that are not equal bit for bit in two nested state dicts."""
    names = sorted({*first, *second}, key=str)
    different = []
    for name in names:
        a, b = first.get(name), second.get(name)
        if isinstance(a, dict) and isinstance(b, dict):
            different += different_entries(a, b, f'{prefix}{name}.')
        elif torch.is_tensor(a) and torch.is_tensor(b):
            different += [] if torch.equal(a, b) else [f'{prefix}{name}']
        elif type(a) is not type(b):
            different.append(f'{prefix}{name}')
    return different


def assert_resume_is_exact(
    config: Path, folder: Path, kill_at_iter: int, last: str, *arguments: str
) -> None:
    """Assert that a run killed with SIGKILL and resumed ends as an uninterrupted one.

    Args:
        config: training config; `default_hooks` must have `AtomicCheckpointHook`.
        folder: an empty folder for the runs.
        kill_at_iter: iteration, counted over all epochs, after which the process is killed.
        last: name of the last checkpoint, such as 'epoch_3.pth'.
        arguments: further arguments of `tools/train.py`, but not --cfg-options.
    """
    imports = Config.fromfile(config).custom_imports.imports
    killer = folder / 'killed.py'
    killer.write_text(
        f'_base_ = {str(config)!r}\n'
        f'custom_imports = dict(imports={[*imports, "tests.engine.kill_hook"]})\n'
        f"default_hooks = dict(kill=dict(type='KillHook', at_iter={kill_at_iter}))\n"
    )
    unbroken, broken = folder / 'unbroken', folder / 'broken'
    done = train(config, unbroken, *arguments)
    assert done.returncode == 0, done.stderr[-2000:]
    killed = train(killer, broken, *arguments)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert not (broken / last).exists()
    resumed = train(config, broken, '--resume', *arguments)
    assert resumed.returncode == 0, resumed.stderr[-2000:]
    assert 'resumed epoch' in resumed.stdout + resumed.stderr
    checkpoints = [load_checkpoint_file(run / last) for run in (unbroken, broken)]
    for part in ('state_dict', 'ema_state_dict', 'optimizer'):
        states = [checkpoint.get(part, {}) for checkpoint in checkpoints]
        assert different_entries(*states) == [], part
