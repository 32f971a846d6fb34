"""PNG images to JPEG, as most published KITTI numbers have been measured."""

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
    """Write a JPEG beside a PNG, or keep the one that is there.

    Args:
        path: the PNG.
        remove: delete the PNG when the JPEG is there.

    Returns:
        Whether a JPEG was written.

    Raises:
        DepthDataError: the PNG is damaged.
    """
    target = path.with_suffix('.jpg')
    wanted = not target.is_file()
    if wanted:
        image = open_image(path)
        with atomic_file(target) as file:
            image.save(file, 'JPEG', quality=QUALITY, subsampling=SUBSAMPLING)
    if remove:
        path.unlink()
    return wanted


def convert_to_jpeg(root: str | Path, remove: bool = False, workers: int = 1) -> tuple[int, int]:
    """Convert the images of all KITTI raw drives below a folder; a killed run can go on.

    Settings are those of the releases (quality 92, 4:2:0); the bytes differ from ImageMagick's.

    Args:
        root: folder of the days.
        remove: delete each PNG once its JPEG is there.
        workers: processes.

    Returns:
        Number of images written, and of those that were there already.

    Raises:
        DepthDataError: no PNG there, or a damaged one.
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
