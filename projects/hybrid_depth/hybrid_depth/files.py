"""Output files that are whole or not there, and their names."""

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
except ImportError:  # Windows, where nothing is swept
    fcntl = None

_PART = re.compile(r'\..+\.part-[0-9a-f]{16}')
_LONGEST_NAME = 180  # bytes of the 255 that file systems take; the rest is for endings
_CONTROLS = r'\x00-\x1f\x7f\ud800-\udc7f\udd00-\udfff'  # and what no file system can encode
_ON_WINDOWS = os.name == 'nt'
_NO_NAME = re.compile(rf'[/\\{_CONTROLS}{"<>:|?*" if _ON_WINDOWS else ""}]')
_DEVICE = re.compile(r'(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?' if _ON_WINDOWS else r'(?!)')


def file_name(text: Any) -> str:
    """Name of a file or folder for what data calls it, such as a token or a camera.

    It is the text itself where that can be a name. Otherwise it is what can be kept and a digest,
    so that other texts get other names. It is never a path, hidden, or too long for an ending.

    Args:
        text: what the data holds; what is no text becomes one.

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

    Missing folders are made. After an error or a kill, what was at ``path`` before is still there.
    Where several write one file at a time (threads, processes, containers), the last one counts.

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
    """A new folder beside ``path``, to be moved there; what is not moved is removed at the end."""
    with _temporary(Path(path), Path.mkdir) as part:
        yield part


@contextmanager
def _temporary(path: Path, create: Callable[[Path], None]) -> Iterator[Path]:
    """A path beside another that nobody else has, and that `remove_leftovers` leaves alone."""
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
        The descriptor; None where another process has removed it before it was locked.
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
    # for writing, as NFS locks nothing else; a folder cannot be opened so
    access = os.O_RDONLY if path.is_dir() else os.O_RDWR
    return os.open(path, access | os.O_NOFOLLOW | os.O_NONBLOCK)


def remove_leftovers(folder: str | Path) -> None:
    """Remove the temporary files and folders that no living process has, here or elsewhere.

    Nothing is removed where the file system or the platform has no locks.
    """
    parts = [path for path in Path(folder).iterdir() if _PART.fullmatch(path.name)]
    for part in parts if fcntl else []:
        with suppress(OSError):
            _remove_unheld(part)


def _remove_unheld(part: Path) -> None:
    descriptor = _open(part)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an error while a process has it
        _remove(part)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


#: The first temporary file in a folder looks for leftovers; thousands may follow.
_look_once = cache(remove_leftovers)
