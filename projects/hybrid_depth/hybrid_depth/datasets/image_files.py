"""Finding and opening images."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ..errors import DepthDataError, HybridDepthError
from ..limits import TooLargeError, check_pixels

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp', '.tif', '.tiff')
_ORIENTATION = 0x0112  # EXIF
_SIDEWAYS = (5, 6, 7, 8)
_TO_8_BIT = 257.0  # 65535 / 255


def open_image(path: str | Path, half: bool = False) -> Image.Image:
    """Read an image as RGB of 8 bit, turned upright by its EXIF orientation.

    Args:
        path: image file.
        half: decode a JPEG of even sides at half its size, which takes half the time; other images
            are read whole.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: the file is damaged, not an image, has several images, or floats.
        TooLargeError: more pixels than the limit.
    """
    with opened_image(path) as image:
        if image.format in ('TIFF', 'WEBP', 'PNG') and getattr(image, 'n_frames', 1) > 1:
            raise DepthDataError(
                f'{path}: expected one image, got {image.n_frames} in one file; save each to a '
                'file of its own'
            )
        if half and not any(side % 2 for side in image.size):
            image.draft(None, (image.width // 2, image.height // 2))
        # both copy the image where there is nothing to do, an eighth of the time of reading
        if image.getexif().get(_ORIENTATION, 1) != 1:
            image = ImageOps.exif_transpose(image)
        if image.mode[0] in 'IF':
            image = _to_8_bit(image, path)
        if image.mode != 'RGB':
            return image.convert('RGB')
        image.load()
        return image


def _to_8_bit(image: Image.Image, path: str | Path) -> Image.Image:
    """Grey image of 8 bit from 16; Pillow clips all values above 255 to white."""
    values = np.asarray(image)
    if image.mode == 'F' or values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
        raise DepthDataError(
            f'{path}: expected 8 or 16 bit per channel, got mode {image.mode} with values of '
            f'{values.min():g} to {values.max():g}; convert it to 8-bit PNG'
        )
    return Image.fromarray(np.round(values / _TO_8_BIT).astype(np.uint8))


def image_size(path: str | Path) -> tuple[int, int]:
    """(width, height) of the upright image, from the header; errors as of `open_image`."""
    with opened_image(path) as image:
        sideways = image.getexif().get(_ORIENTATION) in _SIDEWAYS
        return image.size[::-1] if sideways else image.size


def is_16_bit(path: str | Path) -> bool:
    """Whether an image is grey of 16 bit, such as a depth map; errors as of `open_image`."""
    with opened_image(path) as image:
        return image.mode.startswith('I')


@contextmanager
def opened_image(path: str | Path) -> Iterator[Image.Image]:
    """Image of a file, not decoded yet; errors as of `open_image`, also from the block."""
    try:
        with Image.open(path) as image:
            check_pixels(image.size, path)  # the nuScenes devkit switches Pillow's limit off
            yield image
    except FileNotFoundError as error:
        raise FileNotFoundError(f'expected the image {path}, which does not exist') from error
    except HybridDepthError:
        raise
    except Image.DecompressionBombError as error:  # by Pillow's own limit
        raise TooLargeError(f'{path}: {error}; is the file damaged?') from error
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises all three on bad data
        raise DepthDataError(
            f'{path}: expected an image, got a damaged file ({error}). Unpack or fetch it again, '
            'or remove it from the list.'
        ) from error


def natural_key(path: Path) -> list:
    """Natural sorting key: frame 9 before frame 10."""
    return [int(part) if part.isdecimal() else part for part in re.split('([0-9]+)', path.name)]


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
        found.update({int(path.stem): path for path in names if re.fullmatch('[0-9]+', path.stem)})
    return dict(sorted(found.items()))
