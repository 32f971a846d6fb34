"""Conversion of PNG images to JPEG, on which most published KITTI results were measured."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tqdm import tqdm

from ...errors import DepthDataError
from ...files import atomic_file
from ..image_files import open_image

QUALITY, SUBSAMPLING = 92, '4:2:0'  # docs/reference/kitti.md, "Image files"


def _convert(path: Path, remove: bool = False) -> bool:
    """Write a JPEG beside a PNG, unless it exists.

    Args:
        path: the PNG.
        remove: delete the PNG after conversion.

    Returns:
        Whether a JPEG was written.

    Raises:
        DepthDataError: the PNG is damaged.
    """
    target = path.with_suffix('.jpg')
    missing = not target.is_file()
    if missing:
        image = open_image(path)
        with atomic_file(target) as file:
            image.save(file, 'JPEG', quality=QUALITY, subsampling=SUBSAMPLING)
    if remove:
        path.unlink()
    return missing


def convert_to_jpeg(root: str | Path, remove: bool = False, workers: int = 1) -> tuple[int, int]:
    """Convert the images of all KITTI raw drives below a folder; resumable.

    Settings of the official releases (quality 92, 4:2:0); the bytes differ from ImageMagick's.

    Args:
        root: folder of the days.
        remove: delete each PNG after conversion.
        workers: number of processes.

    Returns:
        Number of images written, and of existing ones.

    Raises:
        DepthDataError: no PNG found, or a damaged one.
    """
    paths = sorted(Path(root).glob('*/*/image_0[0-3]/data/*.png'))
    if not paths:
        raise DepthDataError(
            f'{root}: expected PNG images in <day>/<drive>/image_02/data, got none. Is it the '
            'folder of the days, and are the images JPEG already?'
        )
    convert = partial(_convert, remove=remove)
    with ProcessPoolExecutor(workers) as pool:
        done = pool.map(convert, paths, chunksize=16)
        written = sum(tqdm(done, total=len(paths), desc='images', mininterval=1))
    return written, len(paths) - written
