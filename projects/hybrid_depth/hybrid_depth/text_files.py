"""Text and JSON files of any origin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import DamagedFileError
from .limits import TEXT_SHARE, check_file


def read_text(path: str | Path) -> str:
    """Content of a UTF-8 text file, without a byte-order mark.

    Raises:
        FileNotFoundError: no such file.
        TooLargeError: larger than the limit.
        DamagedFileError: another encoding, or no text.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'expected the file {path}, which does not exist')
    check_file(path, TEXT_SHARE)
    try:
        return Path(path).read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise DamagedFileError(
            f'{path}: expected text in UTF-8, got other bytes ({error.reason} at {error.start}). '
            'Save it as UTF-8, or is it of another kind?'
        ) from error


def parse_number(text: str, kind: type = float) -> float:
    """Number in decimal digits, as all tools write it.

    Python also accepts the digits of other scripts, which look alike, and underscores.

    Args:
        kind: float or int.

    Raises:
        ValueError: anything else.

    Example:
        >>> parse_number('-1.5e3'), parse_number('12', int)
        (-1500.0, 12)
    """
    if not text.isascii() or '_' in text:
        raise ValueError(f'could not convert string to {kind.__name__}: {text!r}')
    return kind(text)


def parse_json(text: str, source: str | Path) -> Any:
    """Value of a JSON text.

    Args:
        text: JSON.
        source: its file, and the line if there are several, for errors.

    Raises:
        DamagedFileError: not JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(
            f'{source}: expected JSON, got {text[:60]!r} ({error}); unpack or write it again'
        ) from error


def read_json(path: str | Path, kind: type = dict) -> Any:
    """Value of a JSON file; errors as of `read_text` and `parse_json`.

    Args:
        kind: expected type, dict or list.

    Raises:
        DamagedFileError: also a value of another type.
    """
    content = parse_json(read_text(path), path)
    if not isinstance(content, kind):
        raise DamagedFileError(
            f'{path}: expected JSON with a {kind.__name__}, got a {type(content).__name__}'
        )
    return content
