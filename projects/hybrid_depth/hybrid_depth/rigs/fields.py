"""Entries of a description in YAML, with errors that name place, key and nearest name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..config_errors import nearest
from ..errors import DamagedFileError
from ..text_files import read_text
from .errors import RigError


def read_yaml(path: str | Path) -> dict:
    """Content of a YAML file of plain data.

    Raises:
        FileNotFoundError: no such file.
        DamagedFileError: not YAML, or no keys with values.
    """
    try:
        content = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, RecursionError) as error:
        raise DamagedFileError(
            f'{path}: expected YAML (key: value), got {error}. Indent with spaces, and put a space '
            'after each colon'
        ) from error
    if not isinstance(content, dict):
        raise DamagedFileError(f'{path}: expected YAML with keys, got a {type(content).__name__}')
    return content


def entries(value: Any, known: Iterable[str], where: str) -> dict[str, Any]:
    """A mapping whose keys are among the known ones.

    Raises:
        RigError: another kind of value, or an unknown key.
    """
    known = list(known)
    if not isinstance(value, Mapping):
        raise RigError(f'{where}: expected keys among {", ".join(known)}, got {value!r}')
    for key in value:
        if key not in known:
            raise RigError(
                f'{where}: expected keys among {", ".join(known)}, got {key!r}'
                f'{nearest(str(key), known)}'
            )
    return dict(value)


def one_of(value: Mapping[str, Any], names: Iterable[str], where: str) -> str:
    """The one key among `names` that a mapping has.

    Raises:
        RigError: none, or several.
    """
    found = [name for name in names if value.get(name) is not None]
    if len(found) != 1:
        raise RigError(
            f'{where}: expected one of {", ".join(names)}, got {", ".join(found) or "none"}'
        )
    return found[0]


def numbers(value: Any, counts: Iterable[int], where: str) -> np.ndarray:
    """Finite numbers, possibly in rows, as a flat float64 array.

    Args:
        counts: accepted numbers of them.

    Raises:
        RigError: other values, or another number of them.
    """
    counts = list(counts)
    try:
        array = np.asarray(value, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        array = np.full(1, np.nan)
    if array.size not in counts or not np.isfinite(array).all():
        raise RigError(
            f'{where}: expected {" or ".join(map(str, counts))} numbers, got {str(value)[:120]}'
        )
    return array


def number(value: Any, where: str, smallest: float = -np.inf) -> float:
    """A finite number above `smallest`; RigError for others."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise RigError(f'{where}: expected a number, got {value!r}')
    if value <= smallest:
        raise RigError(f'{where}: expected a number above {smallest:g}, got {value!r}')
    return float(value)
