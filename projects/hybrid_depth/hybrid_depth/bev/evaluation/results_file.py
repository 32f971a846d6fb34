"""Files of nuScenes' detection results (submissions), read and written sample by sample."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from ...datasets.nuscenes.names import ATTRIBUTES, InfoError
from ...errors import DamagedFileError
from ...files import atomic_file
from ...text_files import read_text
from .detection_boxes import DetectionBoxes
from .detection_protocol import DetectionProtocol
from .global_boxes import check_numbers

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r'[ \t\n\r]*')
_ATTRIBUTES = {name: index for index, name in enumerate(ATTRIBUTES)} | {'': -1}
_VECTORS = dict(translation=3, size=3, rotation=4, velocity=2)


def write_results(
    path: str | Path,
    boxes: DetectionBoxes,
    tokens: Sequence[str],
    protocol: DetectionProtocol,
    modality: Mapping[str, bool],
) -> None:
    """Write results as mmdet3d writes them (docs/reference/nuscenes.md, "Results files").

    Args:
        path: JSON file.
        boxes: global frame, in the order of the samples.
        tokens: samples.
        protocol: benchmark.
        modality: the file's `meta`.
    """
    starts = np.searchsorted(boxes.sample, np.arange(len(tokens) + 1))
    with atomic_file(path, 'w') as file:
        file.write(f'{{"meta": {json.dumps(modality)}, "results": {{')
        for place, token in enumerate(tokens):
            rows = boxes[slice(starts[place], starts[place + 1])]
            entries = json.dumps(_entries(rows, token, protocol.classes))
            file.write(f'{", " if place else ""}{json.dumps(token)}: {entries}')
        file.write('}}')


def _entries(boxes: DetectionBoxes, token: str, classes: Sequence[str]) -> list[dict]:
    names = [*ATTRIBUTES, '']
    columns = (
        boxes.centre.tolist(),
        boxes.size.tolist(),
        boxes.rotation.tolist(),
        boxes.velocity.tolist(),
        [classes[label] for label in boxes.label],
        boxes.score.tolist(),
        [names[attribute] for attribute in boxes.attribute],
    )
    keys = (*_VECTORS, 'detection_name', 'detection_score', 'attribute_name')
    return [
        dict(sample_token=token, **dict(zip(keys, row, strict=True)))
        for row in zip(*columns, strict=True)
    ]


def read_results(path: str | Path, protocol: DetectionProtocol) -> tuple[list[str], DetectionBoxes]:
    """Samples and boxes of a results file; each sample is converted as soon as it is read.

    Args:
        path: JSON file.
        protocol: benchmark.

    Raises:
        FileNotFoundError: no such file.
        TooLargeError: larger than the limit.
        DamagedFileError: not JSON, or without results.
        InfoError: a sample with too many boxes, or a box without the numbers of a box.
    """
    tokens, parts = [], []
    for token, entries in _results(read_text(path), path):
        try:
            parts.append(_boxes(entries, token, len(tokens), protocol))
            check_numbers(parts[-1], token)
        except (KeyError, TypeError, ValueError) as error:
            raise InfoError(
                f'{path}, sample {token}: expected a list of at most {protocol.max_boxes} boxes '
                f'with {", ".join(_VECTORS)}, detection_name (of {", ".join(protocol.classes)}), '
                f'detection_score and attribute_name, got others ({error})'
            ) from error
        tokens.append(token)
    if not tokens:
        raise InfoError(f'{path}: expected samples in results, got none')
    return tokens, DetectionBoxes.concatenate(parts)


def _boxes(
    entries: list[dict], token: str, sample: int, protocol: DetectionProtocol
) -> DetectionBoxes:
    if len(entries) > protocol.max_boxes:
        raise ValueError(f'{len(entries)} boxes')
    if any(entry['sample_token'] != token for entry in entries):
        raise ValueError('a box of another sample')
    labels = {name: label for label, name in enumerate(protocol.classes)}
    vectors = {
        name: _rows([entry[name] for entry in entries], name, width)
        for name, width in _VECTORS.items()
    }
    return DetectionBoxes(
        sample=np.full(len(entries), sample),
        label=np.array([labels[entry['detection_name']] for entry in entries], int),
        centre=vectors['translation'],
        size=vectors['size'],
        rotation=vectors['rotation'],
        velocity=vectors['velocity'],
        attribute=np.array([_ATTRIBUTES[entry['attribute_name']] for entry in entries], int),
        score=np.array([entry['detection_score'] for entry in entries], float),
    )


def _rows(rows: list[list[float]], name: str, width: int) -> np.ndarray:
    """(N, width) array; `np.array` of lists takes twice as long."""
    if any(len(row) != width for row in rows):
        raise ValueError(f'another number of entries than {width} in {name}')
    return np.fromiter(chain.from_iterable(rows), float, width * len(rows)).reshape(-1, width)


def _results(text: str, path: str | Path) -> Iterator[tuple[str, Any]]:
    """(token, entries) of each sample, one decoded at a time."""
    try:
        yield from _members(text, 0, 'results')
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f'{path}: expected JSON, got {error}; write it again') from error


def _members(
    text: str, place: int, only: str | None = None
) -> Generator[tuple[str, Any], None, int]:
    """Members of the object at a place, or of one of its objects; returns the end."""
    mark, place = _mark(text, place, '{')
    if text[place : place + 1] == '}':
        mark, place = _mark(text, place, '}')
    while mark != '}':
        key, place = _DECODER.raw_decode(text, place)
        _, place = _mark(text, place, ':')
        if key == only:
            place = yield from _members(text, place)
        else:
            value, place = _value(text, place)
            if only is None:
                yield key, value
        mark, place = _mark(text, place, ',}')
    return place


def _value(text: str, place: int) -> tuple[Any, int]:
    """JSON value at a place, and the place behind it.

    A list of objects is first tried by orjson, which takes a fifth of the time, up to the first
    place where it can end: orjson reads whole texts only, and neither NaN nor Infinity.
    """
    end = text.find('}]', place) + 2 if text.startswith('[{', place) else 0
    if end > 2:
        try:
            return orjson.loads(text[place:end]), end
        except orjson.JSONDecodeError:
            pass
    return _DECODER.raw_decode(text, place)


def _mark(text: str, place: int, expected: str) -> tuple[str, int]:
    """The next character, which must be an expected one, and the place of what follows it."""
    place = _SPACE.match(text, place).end()
    mark = text[place : place + 1]
    if not mark or mark not in expected:
        raise ValueError(f'{mark!r} at character {place} instead of one of {expected}')
    return mark, _SPACE.match(text, place + 1).end()
