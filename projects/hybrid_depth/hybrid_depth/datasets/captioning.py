"""Captions of the images of a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PIL import Image

from ..errors import DepthDataError
from .captions import read_texts, write_texts
from .image_files import IMAGE_SUFFIXES, open_image

_SAVED_EVERY = 64  # images


def find_images(root: str | Path, pattern: str = '**/*') -> list[str]:
    """Images below a folder, as paths relative to it, sorted.

    Args:
        root: data root.
        pattern: glob relative to the root.

    Raises:
        DepthDataError: there are none.
    """
    found = (path for path in Path(root).glob(pattern) if path.suffix.lower() in IMAGE_SUFFIXES)
    images = sorted(path.relative_to(root).as_posix() for path in found)
    if not images:
        raise DepthDataError(
            f'{root}: expected images that match {pattern!r}, got none; give a glob relative to '
            "the data root, such as '*/*/image_02/data/*'"
        )
    return images


def caption_images(
    root: str | Path,
    images: Sequence[str],
    caption: Callable[[list[Image.Image]], list[str]],
    out: str | Path,
    batch: int = 8,
) -> Iterator[int]:
    """Write the captions of images that have none yet; the file is saved every few batches.

    Args:
        root: data root.
        images: paths relative to it.
        caption: captions of a batch of RGB images, such as `Captioner`.
        out: file of captions, which may exist.
        batch: images per call.

    Yields:
        Number of images of each batch.

    Raises:
        FileNotFoundError, DepthDataError: see `read_texts` and `open_image`.
    """
    texts = read_texts(out) if Path(out).exists() else {}
    todo = [image for image in images if image not in texts]
    unsaved = 0
    for start in range(0, len(todo), batch):
        names = todo[start : start + batch]
        found = caption([open_image(Path(root, name)) for name in names])
        texts.update((name, [text]) for name, text in zip(names, found, strict=True))
        unsaved += len(names)
        if unsaved >= _SAVED_EVERY:
            write_texts(texts, out)
            unsaved = 0
        yield len(names)
    write_texts(texts, out)
