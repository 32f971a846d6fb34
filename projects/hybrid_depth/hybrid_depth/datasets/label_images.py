"""Label images: semantic classes, instances and moving objects per pixel, as PNG files.

A folder of labels mirrors the image tree: the label of image ``ROOT/a/b/c.jpg`` is
``LABELS/a/b/c.png``.

    semantic   uint8, Cityscapes train ids, 255 = none
    instance   uint16, 0 = none; an object has one id in all frames and cameras of a drive
    moving     uint8, 255 = moving object, 0 = static
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import DepthDataError
from ..files import atomic_file

MOVING = 255


def label_path(labels: str | Path, image: str | Path, root: str | Path) -> Path:
    """Path of an image's label below the folder ``labels``.

    Args:
        labels: folder of the labels.
        image: path of the image, below ``root``.
        root: folder of the image tree.

    Raises:
        ValueError: the image is not below ``root``.

    Example:
        >>> label_path('labels', 'data/a/b/c.jpg', 'data').as_posix()
        'labels/a/b/c.png'
    """
    return Path(labels) / Path(image).relative_to(root).with_suffix('.png')


def write_label_image(values: np.ndarray, path: str | Path) -> None:
    """Write a label image (H, W), uint8 or uint16, as PNG, atomically."""
    with atomic_file(path) as file:
        Image.fromarray(values).save(file, format='PNG')


def read_label_image(path: str | Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a label image as (H, W) uint8 or uint16.

    Args:
        path: PNG file.
        size: expected width and height, pixels; None for any.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: damaged, not a grey PNG, or of another size.
    """
    try:
        with Image.open(path) as image:
            mode, values = image.mode, np.array(image)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'expected the label image {path}, which does not exist. A folder of labels mirrors '
            'the image tree; a toy world without labels is of an older version: make it again'
        ) from error
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises all three on bad data
        raise DepthDataError(
            f'{path}: expected a label image, got a damaged file ({error}); make it again'
        ) from error
    if mode not in ('L', 'P') and not mode.startswith('I'):
        raise DepthDataError(
            f'{path}: expected a label image, a grey PNG with one value per pixel, got mode {mode}'
        )
    found = values.shape[::-1]
    if size is not None and found != tuple(size):
        raise DepthDataError(
            f'{path}: expected a label image of {size[0]} x {size[1]} pixels, as its image, '
            f'got {found[0]} x {found[1]}'
        )
    return values


def read_moving_mask(path: str | Path) -> np.ndarray:
    """Read a label image of moving objects as (H, W) bool.

    Raises:
        FileNotFoundError, DepthDataError: see `read_label_image`; also values but 0 and 255.
    """
    values = read_label_image(path)
    strange = np.setdiff1d(values, (0, MOVING))
    if strange.size:
        raise DepthDataError(
            f'{path}: expected 0 (static) and {MOVING} (moving), got {strange[:5].tolist()}'
        )
    return values == MOVING
