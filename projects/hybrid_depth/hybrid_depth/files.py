"""Atomic writing of output files."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO


@contextmanager
def atomic_file(path: str | Path, mode: str = 'wb') -> Iterator[IO]:
    """Temporary file beside ``path``, which replaces it if the block succeeds.

    Missing folders are created. After an error or a kill, the previous file is unchanged.

    Args:
        path: file to write.
        mode: 'wb' or 'w'.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        with open(temporary, mode) as file:
            yield file
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_beside(path: Path) -> Path:
    """Temporary path beside ``path``, named after this process.

    The first call for a folder removes leftovers of killed processes.
    """
    _remove_leftovers(path.parent.resolve())
    return path.with_name(f'.{path.name}.part-{_process_space()}-{os.getpid()}')


@cache
def _remove_leftovers(folder: Path) -> None:
    if os.name != 'posix':  # os.kill(pid, 0) is only harmless on POSIX
        return
    name = re.compile(rf'\..+\.part-{re.escape(_process_space())}-(\d+)(-old)?')
    for path in folder.iterdir():
        match = name.fullmatch(path.name)
        if match and not _is_alive(int(match[1])):
            shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):
                path.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _process_space() -> str:
    """Name of the scope of process ids: the host and, on Linux, the container."""
    with suppress(OSError):
        return f'{platform.node()}-{os.stat("/proc/self/ns/pid").st_ino}'
    return platform.node()
