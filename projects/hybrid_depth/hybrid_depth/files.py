"""Atomic output files, and file names made from data."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows, where leftovers are not removed
    fcntl = None

_PART = re.compile(r'\..+\.part-[0-9a-f]{16}')
_LONGEST_NAME = 180  # bytes, of 255 in file systems; the rest is for suffixes
_CONTROLS = (
    r'\x00-\x1f\x7f\ud800-\udc7f\udd00-\udfff'  # and characters that no file system can encode
)
_ON_WINDOWS = os.name == 'nt'
_NO_NAME = re.compile(rf'[/\\{_CONTROLS}{"<>:|?*" if _ON_WINDOWS else ""}]')
_DEVICE = re.compile(r'(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?' if _ON_WINDOWS else r'(?!)')


def file_name(text: Any) -> str:
    """Name of a file or folder for a name in data, such as a token or a camera.

    The text itself if it is a valid name, else its valid characters and a digest, so that different
    texts get different names. Never a path, hidden, or too long for a suffix.

    Args:
        text: name in the data; other values are converted to text.

    Example:
        >>> file_name('CAM_FRONT'), file_name('../../etc/passwd')
        ('CAM_FRONT', '_.._etc_passwd-3754d6cb3a38')
    """
    text = str(text)
    name = _NO_NAME.sub('_', text).strip('. ')
    if name == text and 0 < _bytes(name) <= _LONGEST_NAME and not _DEVICE.fullmatch(name):
        return name
    while _bytes(name) > _LONGEST_NAME - 13:
        name = name[:-1]
    return f'{name or "_"}-{hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]}'


def _bytes(name: str) -> int:
    return len(name.encode(errors='surrogateescape'))


@contextmanager
def atomic_file(path: str | Path, mode: str = 'wb') -> Iterator[IO]:
    """Temporary file beside ``path``, which replaces it if the block succeeds.

    Missing folders are created. After an error or a kill, the previous file is unchanged. Of
    several concurrent writers (threads, processes, containers), the last one wins.

    Args:
        path: file to write.
        mode: 'wb' or 'w'.
    """
    path = Path(path)
    with _temporary(path, lambda part: part.touch(exist_ok=False)) as part:
        with open(part, mode) as file:
            yield file
        os.replace(part, path)


@contextmanager
def temporary_folder(path: str | Path) -> Iterator[Path]:
    """New folder beside ``path``, to be moved there; it is removed at the end unless moved."""
    with _temporary(Path(path), Path.mkdir) as part:
        yield part


@contextmanager
def _temporary(path: Path, create: Callable[[Path], None]) -> Iterator[Path]:
    """Unique path beside another, which `remove_leftovers` does not remove."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _look_once(path.parent.resolve())
    held = None
    while held is None:
        part = path.with_name(f'.{path.name[:32]}.part-{secrets.token_hex(8)}')
        create(part)
        held = _hold(part)
    try:
        yield part
    finally:
        _remove(part)
        os.close(held)


def _hold(part: Path) -> int | None:
    """Lock a temporary file or folder until the descriptor is closed, or the process ends.

    Returns:
        The descriptor; None if another process removed the file before it was locked.
    """
    if fcntl is None:
        return os.open(os.devnull, os.O_RDONLY)
    with suppress(FileNotFoundError):
        descriptor = _open(part)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if part.exists():
            return descriptor
        os.close(descriptor)
    return None


def _open(path: Path) -> int:
    # for writing, as NFS requires for locks; folders cannot be opened for writing
    access = os.O_RDONLY if path.is_dir() else os.O_RDWR
    return os.open(path, access | os.O_NOFOLLOW | os.O_NONBLOCK)


def remove_leftovers(folder: str | Path) -> None:
    """Remove temporary files and folders that no running process holds, on any machine.

    Nothing is removed if the file system or the platform has no locks.
    """
    parts = [path for path in Path(folder).iterdir() if _PART.fullmatch(path.name)]
    for part in parts if fcntl else []:
        with suppress(OSError):
            _remove_unheld(part)


def _remove_unheld(part: Path) -> None:
    descriptor = _open(part)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an error while a process holds it
        _remove(part)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


#: Leftovers are removed only with the first temporary file in a folder; thousands may follow.
_look_once = cache(remove_leftovers)
