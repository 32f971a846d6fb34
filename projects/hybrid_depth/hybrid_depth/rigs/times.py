"""Times of files: in their names, from their frame numbers, or in a CSV file."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.image_files import natural_key
from ..text_files import parse_number, read_text
from .errors import RigError
from .fields import entries, number, one_of

_UNITS = dict(s=1.0, ms=1e-3, us=1e-6, ns=1e-9)
_FORMS = (
    'times: s (or ms, us, ns; of the number at the end of each file name), {hz: 10} (frame '
    'numbers in the names), or {csv: times.csv} (file, seconds)'
)
_SHORTEST, _LONGEST = 1e-3, 100.0  # seconds between two images


def times_of(paths: Sequence[Path], spec: Any, folder: Path, where: str) -> np.ndarray:
    """Times of files, seconds.

    Args:
        paths: the files.
        spec: see `docs/own_vehicle.md`.
        folder: of the drive, for the CSV file.
        where: camera, for errors.

    Raises:
        RigError: another spec, a file without a time, times that are not distinct, or intervals
            that no camera has.
    """
    if isinstance(spec, str):
        if spec not in _UNITS:
            raise RigError(f'{where}: expected {_FORMS}, got times: {spec}')
        times = [_number_in(path, where) * _UNITS[spec] for path in paths]
    else:
        spec = entries(spec, ('hz', 'csv'), f'{where}, times')
        if one_of(spec, ('hz', 'csv'), f'{where}, times') == 'hz':
            rate = number(spec['hz'], f'{where}, times.hz', 0)
            times = [_number_in(path, where) / rate for path in paths]
        else:
            times = _from_csv(paths, folder / str(spec['csv']), folder, where)
    return np.array(times, np.float64)


def in_order(paths: Sequence[Path], times: np.ndarray, where: str) -> tuple[list[Path], np.ndarray]:
    """Files and times in order of time.

    Raises:
        RigError: two files of one time, or intervals that no sensor has.
    """
    order = np.argsort(times, kind='stable')
    paths, times = [paths[place] for place in order], times[order]
    steps = np.diff(times)
    if (steps <= 0).any():
        place = int(np.argmax(steps <= 0))
        raise RigError(
            f'{where}: expected a time per file, got {times[place]:.6f} s of both '
            f'{paths[place].name} and {paths[place + 1].name}. {_FORMS}'
        )
    middle = float(np.median(steps)) if len(steps) else 1.0
    if not _SHORTEST <= middle <= _LONGEST:
        raise RigError(
            f'{where}: expected {_SHORTEST:g} to {_LONGEST:g} s between files, got {middle:g} s. '
            f'Is the unit another one? {_FORMS}'
        )
    return paths, times


def find_files(folder: Path, pattern: str, where: str) -> list[Path]:
    """Files of a pattern below a folder, in natural order.

    Raises:
        RigError: there are none; the text names what is there.
    """
    try:
        found = sorted((p for p in folder.glob(pattern) if p.is_file()), key=natural_key)
    except (NotImplementedError, ValueError, IndexError) as error:  # absolute, or no pattern
        raise RigError(
            f'{where}: expected files as a pattern below {folder}, such as front/*.jpg, got '
            f'{pattern!r} ({error}); set root to the folder of the drives'
        ) from error
    if not found:
        there = (
            sorted(p.name + '/' * p.is_dir() for p in folder.iterdir()) if folder.is_dir() else []
        )
        raise RigError(
            f'{where}: expected files {folder / pattern}, got none; {folder} has '
            f'{", ".join(there[:8]) or "nothing"}. Correct files: (or root: and drives:), or '
            'remove this camera'
        )
    return found


def _number_in(path: Path, where: str) -> float:
    """The last number in a file's name, such as 1700000000.25 or front_000012."""
    found = re.findall(r'[0-9]+(?:\.[0-9]+)?', path.stem)
    if not found:
        raise RigError(f'{where}: expected a number in the name of {path}, got none. {_FORMS}')
    return float(found[-1])


def _from_csv(paths: Sequence[Path], table: Path, folder: Path, where: str) -> list[float]:
    """Times by path below the folder, or by name."""
    known: dict[str, float] = {}
    for place, row in enumerate(csv.reader(read_text(table).splitlines())):
        if not row or row[0].startswith('#') or (place == 0 and not _is_number(row[-1])):
            continue  # a heading
        if len(row) != 2 or not _is_number(row[1]):
            raise RigError(
                f'{table}, line {place + 1}: expected file, seconds, got {", ".join(row)[:80]}'
            )
        known[row[0].strip()] = parse_number(row[1].strip())
    times = []
    for path in paths:
        names = (path.relative_to(folder).as_posix(), path.name, path.stem)
        name = next((name for name in names if name in known), None)
        if name is None:
            raise RigError(
                f'{where}: expected the time of {names[0]} in {table}, got {len(known)} other '
                f'files, such as {", ".join(list(known)[:3])}. Name files as below {folder}'
            )
        times.append(known[name])
    return times


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(parse_number(text.strip())))
    except ValueError:
        return False
