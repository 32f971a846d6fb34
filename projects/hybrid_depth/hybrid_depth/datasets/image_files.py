"""Finding and opening pictures."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from ..errors import DepthDataError

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg')


def open_picture(path: str | Path) -> Image.Image:
    """Read a picture as RGB.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: the file is damaged or no picture.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'expected the picture {path}, which does not exist')
    try:
        with Image.open(path) as picture:
            return picture.convert('RGB')
    except (OSError, SyntaxError) as error:
        raise DepthDataError(
            f'{path}: expected a picture, got a damaged file ({error}). Unpack or fetch it again, '
            'or take it out of the list.'
        ) from error


def picture_size(path: str | Path) -> tuple[int, int]:
    """(width, height) from the file's head; errors as `open_picture`."""
    try:
        with Image.open(path) as picture:
            return picture.size
    except (OSError, SyntaxError) as error:
        raise DepthDataError(f'{path}: expected a picture, got a damaged file ({error})') from error


def natural_key(path: Path) -> list:
    """Sorting key that puts frame 9 before frame 10."""
    return [int(part) if part.isdigit() else part for part in re.split(r'(\d+)', path.name)]


def pictures_in(folder: str | Path) -> list[Path]:
    """Pictures directly in a folder, in natural order."""
    files = (path for path in Path(folder).iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(files, key=natural_key)


def numbered_files(folder: Path, suffixes: tuple[str, ...]) -> dict[int, Path]:
    """Files of a folder that are named by a number; of several endings the first in `suffixes`."""
    if not folder.is_dir():
        return {}
    found: dict[int, Path] = {}
    for suffix in reversed(suffixes):
        names = (path for path in folder.iterdir() if path.suffix.lower() == suffix)
        found.update({int(path.stem): path for path in names if path.stem.isdigit()})
    return dict(sorted(found.items()))
