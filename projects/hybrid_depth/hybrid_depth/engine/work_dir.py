"""Exclusive use of a work directory by one training."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from mmengine.config import Config

from ..errors import OutputInUseError

LOCK_FILE = '.training.lock'
_RANKS = dict(pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_RANK')


def lock_work_dir(work_dir: str | Path) -> FileLock:
    """Lock a work directory for this process; it can be locked repeatedly.

    The lock ends with the process, even if it is killed or leaves workers behind. Without locks in
    the file system, a warning is issued.

    Returns:
        The lock, to be released as often as it was acquired.

    Raises:
        OutputInUseError: another process trains there.
    """
    folder = Path(work_dir).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK_FILE, timeout=0, thread_local=False, is_singleton=True)
    try:
        lock.acquire()
    except Timeout as error:
        raise OutputInUseError(
            f'{work_dir}: expected a work directory that no other training writes to, got one in '
            f'which another process trains (it holds {LOCK_FILE}). Wait until it ends, stop it, or '
            'use another folder: --work-dir FOLDER'
        ) from error
    except OSError as error:
        warnings.warn(
            f'{work_dir} cannot be locked ({error}): make sure that no other training writes there',
            stacklevel=2,
        )
    return lock


@contextmanager
def locked_work_dir(cfg: Config) -> Iterator[None]:
    """Context with the work directory of a config locked; of several processes, by the first."""
    if int(os.environ.get(_RANKS.get(cfg.launcher, ''), 0)) > 0:
        yield
        return
    lock = lock_work_dir(cfg.work_dir)
    try:
        yield
    finally:
        lock.release()
