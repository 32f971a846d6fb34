"""Texts of images as JSON lines: captions, and sentences of their objects.

A line belongs to an image, named by its path below the data root with '/' between folders:

    {"image": "a/b/c.png", "texts": ["a street with two cars"]}

A caption is one text; object sentences (`hybrid-depth make-text-features`) are any number, none of
an image without objects.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import DepthDataError
from ..files import atomic_file

CAPTIONS = 'captions.jsonl'


def write_texts(texts: Mapping[str, Sequence[str]], path: str | Path) -> None:
    """Write the texts of images, sorted by image, atomically.

    Args:
        texts: texts by image, a path below the data root.
        path: file to write.
    """
    with atomic_file(path, 'w') as file:
        for image in sorted(texts):
            line = dict(image=image, texts=list(texts[image]))
            file.write(json.dumps(line, ensure_ascii=False) + '\n')


def read_texts(path: str | Path) -> dict[str, list[str]]:
    """Read the texts of images, by image.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: a line of another format, or an image listed twice; names the line.
    """
    path, texts = Path(path), {}
    if not path.is_file():
        raise FileNotFoundError(
            f'expected the texts of images in {path}, which does not exist; captions are made by '
            'hybrid-depth make-captions, object sentences by hybrid-depth make-text-features'
        )
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except UnicodeDecodeError as error:
        raise DepthDataError(f'{path}: expected JSON lines in UTF-8, got {error}') from error
    for number, line in enumerate(lines, 1):
        image, found = _parse(line, f'{path}:{number}')
        if image in texts:
            raise DepthDataError(f'{path}:{number}: {image} has a line already; keep one of them')
        texts[image] = found
    return texts


def _parse(line: str, place: str) -> tuple[str, list[str]]:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if isinstance(entry, dict) and set(entry) == {'image', 'texts'}:
        image, texts = entry['image'], entry['texts']
        if isinstance(image, str) and isinstance(texts, list):
            if all(isinstance(text, str) for text in texts):
                return image, texts
    raise DepthDataError(
        f'{place}: expected {{"image": PATH, "texts": [TEXT, ...]}}, got {line[:80]!r}'
    )
