"""A work directory belongs to one training at a time."""

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
    """Take a work directory for this process, which may have it already.

    The lock ends with the process, however that ends, whatever workers it leaves behind. Where the
    file system has no locks, that is warned of.

    Returns:
        The lock, to be released as often as it was taken.

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
            f'which another process trains (it holds {LOCK_FILE}). Wait for its end, stop it, or '
            'give another folder: --work-dir FOLDER'
        ) from error
    except OSError as error:
        warnings.warn(
            f'{work_dir} cannot be locked ({error}): see that no other training writes there',
            stacklevel=2,
        )
    return lock


@contextmanager
def locked_work_dir(cfg: Config) -> Iterator[None]:
    """Hold the work directory of a config's training; of several processes the first one does."""
    if int(os.environ.get(_RANKS.get(cfg.launcher, ''), 0)) > 0:
        yield
        return
    lock = lock_work_dir(cfg.work_dir)
    try:
        yield
    finally:
        lock.release()
