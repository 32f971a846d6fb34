"""Text and JSON files: one error for what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import DamagedFileError
from .limits import TEXT_SHARE, check_file


def read_text(path: str | Path) -> str:
    """Content of a UTF-8 text file, with or without byte-order mark.

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
            f'{path}: expected UTF-8 text, got other bytes ({error}). Save it as UTF-8, or write '
            'it again if it is damaged.'
        ) from error


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
            f'{source}: expected JSON, got {text[:60]!r} ({error}). Write it again.'
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
