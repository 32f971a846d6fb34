"""Atomic checkpoints: valid even if the run is killed while writing."""

import inspect
import io
import os
import pickle
import re
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...checkpoints.strict_load import CheckpointMismatchError
from ...errors import ConfigError
from ...files import atomic_file, remove_leftovers
from ..work_dir import lock_work_dir


class AtomicLocalBackend(LocalBackend):
    """mmengine's `LocalBackend` with atomic writes: to a temporary name, then moved."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes to a file, atomically.

        Args:
            obj: content.
            filepath: target; missing folders are created.
        """
        with atomic_file(filepath) as file:
            file.write(obj)
            file.flush()
            os.fsync(file.fileno())


register_backend('atomic_local', AtomicLocalBackend)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """mmengine's `CheckpointHook` with atomic writes (`AtomicLocalBackend`).

    Takes the same arguments. During training, no other process can train in the work directory.
    Paths in a resumed checkpoint are not used: mmengine would delete the files that it names as
    previous best or old checkpoints.

    Raises:
        OutputInUseError: another process trains in the work directory.
        TypeError: an unknown argument.
        CheckpointMismatchError: the resumed file is not a checkpoint of a training.
        ValueError: `max_keep_ckpts=1`, because the hook deletes old files before it writes the new
            one: a kill in between would leave none. Also, before training, a parameter scheduler
            whose state could be saved but not be read back.
    """

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault('backend_args', dict(backend='atomic_local'))
        super().__init__(*args, **kwargs)
        for name in self.args.keys() - inspect.signature(Runner.save_checkpoint).parameters.keys():
            # mmengine would raise it after the first epoch
            raise TypeError(
                f"AtomicCheckpointHook.__init__() got an unexpected keyword argument '{name}'"
            )
        if self.max_keep_ckpts == 1:
            raise ValueError(
                'AtomicCheckpointHook expected max_keep_ckpts=-1 or at least 2, got 1: the only '
                'checkpoint is deleted before the next is written.'
            )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if runner._resume:
            _require_training(checkpoint, runner._load_from or runner.work_dir)

    def before_train(self, runner: Runner) -> None:
        if is_main_process():
            self._lock = lock_work_dir(runner.work_dir)
        _keep_own_names(runner.message_hub.runtime_info)
        super().before_train(runner)
        self._keep_own_best()
        _check_scheduler_states(runner)
        if is_main_process() and Path(self.out_dir).is_dir():
            remove_leftovers(self.out_dir)  # of a run killed while it wrote

    def after_train(self, runner: Runner) -> None:
        super().after_train(runner)
        if is_main_process():
            self._lock.release()

    def _keep_own_best(self) -> None:
        """Search the previous best checkpoints in this run's folder, by name."""
        if self.save_best is None:
            return
        if len(self.key_indicators) == 1:
            self.best_ckpt_path = self._own(self.best_ckpt_path)
        else:
            paths = self.best_ckpt_path_dict
            self.best_ckpt_path_dict = {key: self._own(path) for key, path in paths.items()}

    def _own(self, path: Any) -> str | None:
        name = Path(path).name if isinstance(path, str) else ''
        return str(Path(self.out_dir, name)) if re.fullmatch(r'best_.+\.pth', name) else None


def _require_training(checkpoint: dict, source: str) -> None:
    """Raises CheckpointMismatchError unless a checkpoint has the progress of its training."""
    meta, messages = checkpoint.get('meta', {}), checkpoint.get('message_hub')
    counted = all(type(meta.get(name)) is int and meta[name] >= 0 for name in ('epoch', 'iter'))
    parts = ('log_scalars', 'runtime_info', 'resumed_keys')
    has_messages = isinstance(messages, dict) and all(
        isinstance(messages.get(p), dict) for p in parts
    )
    if not (counted and has_messages and isinstance(checkpoint.get('optimizer'), dict)):
        raise CheckpointMismatchError(
            f'{source}: expected the checkpoint of a training to resume (meta with epoch and '
            f'iter, message_hub, optimizer), got {sorted(map(str, checkpoint))[:8]}. To start from '
            'weights alone leave out --resume: --cfg-options load_from=FILE'
        )


def _keep_own_names(messages: dict) -> None:
    """Keep only integers: the hook deletes files whose names it makes from these."""
    if 'keep_ckpt_ids' in messages:
        steps = messages['keep_ckpt_ids']
        steps = steps if isinstance(steps, (list, tuple)) else []
        messages['keep_ckpt_ids'] = [step for step in steps if type(step) is int]


def _check_scheduler_states(runner: Runner) -> None:
    """Reject mmengine's OneCycle schedulers: functions in their state cannot be loaded safely."""
    schedulers = runner.param_schedulers or []
    groups = schedulers.values() if isinstance(schedulers, dict) else [schedulers]
    for scheduler in (scheduler for group in groups for scheduler in group):
        buffer = io.BytesIO()
        torch.save(scheduler.state_dict(), buffer)
        buffer.seek(0)
        try:
            torch.load(buffer, weights_only=True)
        except pickle.UnpicklingError as error:
            raise ConfigError(
                f'{type(scheduler).__name__}: expected a parameter scheduler whose state is plain '
                'numbers, got functions in it: the checkpoints of this run could not be loaded. '
                'Use LinearLR and CosineAnnealingLR (or LinearMomentum, ...) instead.'
            ) from error


def find_latest_checkpoint(work_dir: str | Path) -> Path | None:
    """Newest complete checkpoint of a work directory, or None.

    `last_checkpoint` is used if the file named in it exists beside it, also after the folder was
    moved. Otherwise (the run was killed while writing it) the highest epoch or iteration is used.
    """
    work_dir = Path(work_dir)
    pointer = work_dir / 'last_checkpoint'
    name = Path(pointer.read_text().strip()).name if pointer.exists() else ''
    if name and (work_dir / name).is_file():
        return work_dir / name
    numbered = [
        (int(match.group(1)), path)
        for path in work_dir.glob('*.pth')
        if (match := re.fullmatch(r'(?:epoch|iter)_([0-9]+)\.pth', path.name))
    ]
    return max(numbered)[1] if numbered else None
