"""Finding and opening images."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from ..errors import DepthDataError

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg')


def open_image(path: str | Path) -> Image.Image:
    """Read an image as RGB.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: the file is damaged or not an image.
    """
    with _opened(path) as image:
        return image.convert('RGB')


def image_size(path: str | Path) -> tuple[int, int]:
    """(width, height) from the file header; errors as of `open_image`."""
    with _opened(path) as image:
        return image.size


@contextmanager
def _opened(path: str | Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as image:
            yield image
    except FileNotFoundError as error:
        raise FileNotFoundError(f'expected the image {path}, which does not exist') from error
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises all three on bad data
        raise DepthDataError(
            f'{path}: expected an image, got a damaged file ({error}). Unpack or fetch it again, '
            'or remove it from the list.'
        ) from error


def natural_key(path: Path) -> list:
    """Natural sorting key: frame 9 before frame 10."""
    return [int(part) if part.isdigit() else part for part in re.split(r'(\d+)', path.name)]


def images_in(folder: str | Path) -> list[Path]:
    """Images directly in a folder, in natural order."""
    files = (path for path in Path(folder).iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(files, key=natural_key)


def numbered_files(folder: Path, suffixes: tuple[str, ...]) -> dict[int, Path]:
    """Files of a folder named by a number; of several endings the first in `suffixes`."""
    if not folder.is_dir():
        return {}
    found: dict[int, Path] = {}
    for suffix in reversed(suffixes):
        names = (path for path in folder.iterdir() if path.suffix.lower() == suffix)
        found.update({int(path.stem): path for path in names if path.stem.isdigit()})
    return dict(sorted(found.items()))
