"""Digests that tie an output to what it was made from, so that a stale one is made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import DamagedFileError
from .text_files import parse_json, read_text

#: Larger files (sweeps, images, checkpoints) count by size and time of change: a data set is not
#: read twice, and a file that is only touched is made anew, never kept stale.
CONTENT_LIMIT = 1 << 20  # bytes


def digest(*values: Any) -> str:
    """Digest of values by their `repr`: numbers, text, lists and dicts of these.

    Example:
        >>> digest('a', 1) == digest('a', 1), digest('a', 1) == digest('a', 2)
        (True, False)
    """
    return hashlib.sha256(repr(values).encode(errors='surrogatepass')).hexdigest()[:16]


def file_digest(path: str | Path) -> str:
    """Digest of a file: of its content up to `CONTENT_LIMIT`, else of its size and time of change.

    Returns:
        'absent' for a file that does not exist.
    """
    path = Path(path)
    if not path.is_file():
        return 'absent'
    status = path.stat()
    if status.st_size > CONTENT_LIMIT:
        return digest(status.st_size, status.st_mtime_ns)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def differences(held: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Names whose digests differ, or that only one of the two has."""
    return [name for name in sorted({*held, *now}) if held.get(name) != now.get(name)]


class Origins:
    """Record of what each file of a folder was made from, one JSON line per file.

    Args:
        path: the record; it is made with the first addition. Lines cut by a kill are skipped, and
            the last line of a file holds.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: dict[str, dict[str, str]] = {}
        for line in read_text(path).splitlines() if path.is_file() else ():
            try:
                note = parse_json(line, path)
                self._held[note['file']] = dict(note['made_from'])
            except (DamagedFileError, KeyError, TypeError, ValueError):
                continue

    def differences(self, name: str, origin: Mapping[str, str]) -> list[str]:
        """Names of what a file was made from that differ now; all for a file without a record."""
        return differences(self._held.get(name, {}), origin)

    def add(self, name: str, origin: Mapping[str, str]) -> None:
        """Record a file that has just been written."""
        with open(self._path, 'a') as file:  # the line begins with the end of one cut by a kill
            file.write('\n' + json.dumps(dict(file=name, made_from=dict(origin))))
