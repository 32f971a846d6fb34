"""Annotated boxes in CSV and JSON files."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..text_files import parse_json, parse_number, read_text
from .drive import RigBoxes
from .errors import RigError

_NUMBERS = ('time', 'x', 'y', 'z', 'length', 'width', 'height', 'yaw')
_OPTIONAL = ('vx', 'vy', 'points', 'track')
_COLUMNS = (*_NUMBERS, 'class')
FRAMES = ('vehicle', 'world')
_TURN = 2 * np.pi + 1e-3
_LONGEST, _FARTHEST = 60.0, 500.0  # metres; a train is longer, but is annotated in parts


def read_boxes(path: Path, frame: str, ground: float) -> RigBoxes:
    """Boxes of a file.

    A CSV file has a heading, a JSON file a list of objects (or a dict with the list `boxes`), with
    `time` (seconds), `class`, centre `x`, `y`, `z`, `length`, `width`, `height` (metres), `yaw`
    (radians, counter-clockwise, 0 along x), and optionally `vx`, `vy` (m/s), `points` (of LiDAR
    inside) and `track` (a name of the object).

    Args:
        frame: 'vehicle' or 'world'.
        ground: z of the ground in the vehicle's frame of the file, metres.

    Raises:
        FileNotFoundError: no such file.
        RigError: a missing column, other values, or units that do not fit.
    """
    if frame not in FRAMES:
        raise RigError(f'{path}: expected frame: among {", ".join(FRAMES)}, got {frame!r}')
    rows = _rows(path)
    values = np.array([_numbers(row, place, path) for place, row in rows]).reshape(-1, 8)
    boxes = values[:, 1:].copy()
    if frame == 'vehicle':
        boxes[:, 2] -= ground
    _check_units(boxes, frame, path)
    velocities = [[_optional(row, key, np.nan, place, path) for key in ('vx', 'vy')]
                  for place, row in rows]  # fmt: skip
    counted = bool(rows) and all(row.get('points') not in (None, '') for _, row in rows)
    tracked = bool(rows) and all(row.get('track') not in (None, '') for _, row in rows)
    return RigBoxes(
        values[:, 0],
        [str(row['class']) for _, row in rows],
        boxes,
        np.array(velocities, np.float64).reshape(-1, 2),
        np.array([_optional(row, 'points', 0, place, path) for place, row in rows], int)
        if counted
        else None,
        [str(row['track']) for _, row in rows] if tracked else None,
        frame,
    )


def _rows(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """(place in the file, row) of all boxes."""
    if path.suffix.lower() == '.json':
        content = parse_json(read_text(path), path)
        rows = content.get('boxes') if isinstance(content, dict) else content
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise RigError(f'{path}: expected a list of boxes, each with {", ".join(_COLUMNS)}')
        found = [(f'box {place}', row) for place, row in enumerate(rows)]
    else:
        reader = csv.DictReader(read_text(path).splitlines())
        found = [(f'line {place}', row) for place, row in enumerate(reader, 2)]
        if reader.fieldnames is None:
            raise RigError(f'{path}: expected a heading with {",".join(_COLUMNS)}, got nothing')
        _require(reader.fieldnames, path)
    for place, row in found:
        _require(list(row), f'{path}, {place}')
    return found


def _require(names: Sequence[str], where: str | Path) -> None:
    absent = [name for name in _COLUMNS if name not in names]
    if absent:
        raise RigError(
            f'{where}: expected {", ".join(_COLUMNS)} (and {", ".join(_OPTIONAL)} if known), got '
            f'{", ".join(map(str, names))}, without {", ".join(absent)}'
        )


def _numbers(row: Mapping[str, Any], place: str, path: Path) -> list[float]:
    return [_number(row[name], name, place, path) for name in _NUMBERS]


def _optional(row: Mapping[str, Any], name: str, default: float, place: str, path: Path) -> float:
    value = row.get(name)
    return default if value in (None, '') else _number(value, name, place, path)


def _number(value: Any, name: str, place: str, path: Path) -> float:
    try:
        return parse_number(value.strip()) if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        raise RigError(
            f'{path}, {place}: expected a number as {name}, got {str(value)[:40]!r}'
        ) from None


def _check_units(boxes: np.ndarray, frame: str, path: Path) -> None:
    """Raises RigError for yaws in degrees, sizes in other units, and boxes of another frame."""
    known = boxes[np.isfinite(boxes).all(1)]
    if not len(known):
        return
    if (np.abs(known[:, 6]) > _TURN).any():
        raise RigError(
            f'{path}: expected yaw in radians, got {np.abs(known[:, 6]).max():g}. Degrees? '
            'Multiply by 0.01745'
        )
    longest = float(np.median(known[:, 3:6].max(1)))
    if longest > _LONGEST or longest < 0.05:
        raise RigError(
            f'{path}: expected sizes in metres, got boxes with a longest side of {longest:g} '
            '(median). Are these millimetres or centimetres?'
        )
    distance = float(np.median(np.linalg.norm(known[:, :2], axis=1)))
    if frame == 'vehicle' and distance > _FARTHEST:
        raise RigError(
            f'{path}: expected boxes around the vehicle in metres, got a median distance of '
            f'{distance:g}. Are they in the world (frame: world), or millimetres?'
        )
