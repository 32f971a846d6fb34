"""Conversion of PNG images to JPEG, on which most published KITTI results were measured."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from ...errors import DepthDataError
from ...files import atomic_file
from ...workers import map_in_workers
from ..image_files import image_size, open_image

# Grey levels between the means of 8 x 8 pixels. These JPEGs change them by 3 in images of KITTI,
# and by 16 in dots of pure red; truncated or zeroed parts by about 100.
_BLOCK_TOLERANCE = 24
QUALITY, SUBSAMPLING = 92, '4:2:0'  # docs/reference/kitti.md, "Image files"


def _convert(path: Path, remove: bool = False) -> bool:
    """Write a JPEG beside a PNG, or keep an existing complete one.

    Args:
        path: the PNG.
        remove: delete the PNG after the JPEG was read back and has the same content.

    Returns:
        Whether a JPEG was written.

    Raises:
        DepthDataError: the PNG is damaged, or the existing JPEG is another image.
    """
    target = path.with_suffix('.jpg')
    missing = not _is_complete(target)
    if missing:
        if target.exists() and not target.is_file():
            raise DepthDataError(f'{target}: expected a JPEG file or none, got a folder; move it')
        image = open_image(path)
        with atomic_file(target) as file:
            image.save(file, 'JPEG', quality=QUALITY, subsampling=SUBSAMPLING)
            file.flush()
            os.fsync(file.fileno())  # on disk before the PNG is gone
        if not _is_complete(target):
            raise DepthDataError(
                f'{target}: expected a complete JPEG after writing, got a damaged file'
            )
    if image_size(target) != image_size(path) or (remove and not _same_content(target, path)):
        raise DepthDataError(
            f'{target}: expected the image of {path}, {image_size(path)} pixels, got another one, '
            f'{image_size(target)} pixels; both are kept. Move one of them.'
        )
    if remove:
        path.unlink()
    return missing


def _is_complete(path: Path) -> bool:
    """Whether a file is a complete JPEG, end marker included."""
    try:
        with open(path, 'rb') as file, Image.open(file, formats=('JPEG',)) as image:
            image.load()  # reads zeros, as left by a full disk, as grey
            file.seek(-2, os.SEEK_END)
            return file.read() == b'\xff\xd9'
    except (OSError, SyntaxError):
        return False


def _same_content(path: Path, other: Path) -> bool:
    """Whether two images of equal size are similar per block; details may differ."""
    means = [np.asarray(open_image(p).convert('L').reduce(8), dtype=int) for p in (path, other)]
    return np.abs(means[0] - means[1]).max() <= _BLOCK_TOLERANCE


def convert_to_jpeg(root: str | Path, remove: bool = False, workers: int = 1) -> tuple[int, int]:
    """Convert the images of all KITTI raw drives below a folder; resumable.

    Existing JPEGs are read: complete ones are kept, empty or truncated ones are written again.
    Settings are those of the releases (quality 92, 4:2:0); the bytes differ from ImageMagick's.

    Args:
        root: folder of the days.
        remove: delete each PNG after its JPEG was read back and has the same content.
        workers: processes.

    Returns:
        Number of images written, and of existing ones.

    Raises:
        DepthDataError: no image, a damaged PNG, or one beside the JPEG of another image.
    """
    images = Path(root).glob('*/*/image_0[0-3]/data/*')
    places = {'.png': [], '.jpg': []}
    for path in sorted(images):
        places.get(path.suffix, []).append(path)
    paths = places['.png']
    if not paths and places['.jpg']:  # all were converted and removed
        return 0, len(places['.jpg'])
    if not paths:
        raise DepthDataError(
            f'{root}: expected PNG images in <day>/<drive>/image_02/data, got none. Is it the '
            'folder of the days?'
        )
    convert = partial(_convert, remove=remove)
    done = map_in_workers(convert, paths, workers, chunk=16)
    written = sum(tqdm(done, total=len(paths), desc='images', mininterval=1))
    return written, len(paths) - written
