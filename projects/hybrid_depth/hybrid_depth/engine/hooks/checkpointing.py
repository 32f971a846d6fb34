"""Atomic checkpoints: valid even if the run is killed while writing."""

import io
import os
import pickle
import re
from pathlib import Path

import torch
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...files import atomic_file


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

    Takes the same arguments.

    Raises:
        ValueError: `max_keep_ckpts=1`, as the hook deletes old files before it writes a new one:
            none would be left if the run is killed in between. Also, before training, a parameter
            scheduler whose state can be saved but not loaded.
    """

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault('backend_args', dict(backend='atomic_local'))
        super().__init__(*args, **kwargs)
        if self.max_keep_ckpts == 1:
            raise ValueError(
                'AtomicCheckpointHook expected max_keep_ckpts=-1 or at least 2, got 1: the only '
                'checkpoint is deleted before the next is written.'
            )

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        _check_scheduler_states(runner)
        if is_main_process() and Path(self.out_dir).is_dir():
            for leftover in Path(self.out_dir).glob('.*.pth.*'):  # of runs killed while writing
                leftover.unlink()


def _check_scheduler_states(runner: Runner) -> None:
    """Reject mmengine's OneCycle schedulers: functions in their state cannot be loaded safely."""
    schedulers = runner.param_schedulers
    groups = schedulers.values() if isinstance(schedulers, dict) else [schedulers]
    for scheduler in (scheduler for group in groups for scheduler in group):
        buffer = io.BytesIO()
        torch.save(scheduler.state_dict(), buffer)
        buffer.seek(0)
        try:
            torch.load(buffer, weights_only=True)
        except pickle.UnpicklingError as error:
            raise ValueError(
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
        if (match := re.fullmatch(r'(?:epoch|iter)_(\d+)\.pth', path.name))
    ]
    return max(numbered)[1] if numbered else None
