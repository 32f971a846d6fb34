"""Streams of input images from files, folders, videos and arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from torch import Tensor

from ..datasets.image_files import IMAGE_SUFFIXES, images_in, open_image
from ..errors import DepthDataError

_FRAMES_OFF, _SHARE_OFF = 2, 0.02  # errors of frame counts in the headers of good videos
VIDEO_SUFFIXES = ('.mp4', '.avi', '.mkv', '.mov', '.m4v', '.webm', '.mpg', '.mpeg')
_EXPECTED = (
    f'an image ({", ".join(IMAGE_SUFFIXES)}), a folder of images, a video '
    f'({", ".join(VIDEO_SUFFIXES)}), an RGB array (H, W, 3), or a list of these'
)

Images = str | Path | np.ndarray | Tensor | Sequence


@dataclass(frozen=True)
class NamedImage:
    """Image with a name that is unique in its stream."""

    name: str
    image: Image.Image


class ImageStream:
    """Stream of RGB images from files, folders, videos and arrays, read one by one.

    Args:
        images: a path of an image, a folder or a video; an array (H, W, 3) or (N, H, W, 3), RGB,
            uint8 or float in [0, 1]; a tensor (3, H, W) or (N, 3, H, W) of floats in [0, 1]; or a
            list of any of these. Floats are rounded to 8 bit.

    Attributes:
        total: number of images; for videos from the file header, which may be slightly wrong.
        fps: frames per second of a video; None for images, and for several sources.

    Raises:
        FileNotFoundError: a path does not exist.
        DepthDataError: not images, or a folder without images.
    """

    def __init__(self, images: Images) -> None:
        self._sources = list(_sources(images))
        self.total = sum(len(source) for source in self._sources)
        only = self._sources[0] if len(self._sources) == 1 else None
        self.fps = only.fps if isinstance(only, _Video) else None

    def __iter__(self) -> Iterator[NamedImage]:
        """Images in order; errors as of `open_image` for damaged files."""
        counts: dict[str, int] = {}
        names: set[str] = set()
        for source in self._sources:
            for name, image in source:
                unique = name
                while unique in names:  # also of a file that has this very name
                    counts[name] = counts.get(name, 1) + 1
                    unique = f'{name}_{counts[name]}'
                names.add(unique)
                yield NamedImage(unique, image)


@dataclass(frozen=True)
class _File:
    path: Path

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[tuple[str, Image.Image]]:
        yield self.path.stem, open_image(self.path)


@dataclass(frozen=True)
class _Arrays:
    arrays: np.ndarray  # (N, H, W, 3) uint8

    def __len__(self) -> int:
        return len(self.arrays)

    def __iter__(self) -> Iterator[tuple[str, Image.Image]]:
        for array in self.arrays:
            yield 'array', Image.fromarray(array)


class _Video:
    """Frames of a video file, decoded by OpenCV."""

    def __init__(self, path: Path) -> None:
        self.path = path
        capture = self._open()
        self.length = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        self.fps = float(capture.get(cv2.CAP_PROP_FPS)) or None
        capture.release()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self.path))
        if not capture.isOpened():
            raise DepthDataError(
                f'{self.path}: expected a video, got a file that OpenCV cannot decode; convert it '
                'to H.264 in .mp4, or to a folder of images'
            )
        return capture

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[str, Image.Image]]:
        capture, index = self._open(), 0
        try:
            while (frame := capture.read())[0]:
                rgb = cv2.cvtColor(frame[1], cv2.COLOR_BGR2RGB)
                yield f'{self.path.stem}_{index:06d}', Image.fromarray(rgb)
                index += 1
        finally:
            capture.release()
        if index == 0:
            raise DepthDataError(f'{self.path}: expected a video, got one without a frame')
        if index < self.length - max(_FRAMES_OFF, self.length * _SHARE_OFF):
            raise DepthDataError(
                f'{self.path}: expected {self.length} frames, as its header says, got {index}: the '
                'video is cut short or damaged. Copy it again, or cut it to its readable part'
            )


def _sources(images: Images) -> Iterator[_File | _Arrays | _Video]:
    if isinstance(images, str | Path):
        yield from _path_sources(Path(images).expanduser())
    elif isinstance(images, np.ndarray | Tensor):
        yield _Arrays(_to_uint8(images))
    elif isinstance(images, Sequence):
        for item in images:
            yield from _sources(item)
    else:
        raise DepthDataError(f'expected {_EXPECTED}; got {type(images).__name__}')


def _path_sources(path: Path) -> Iterator[_File | _Video]:
    suffix = path.suffix.lower()
    if path.is_dir():
        images = images_in(path)
        if not images:
            raise DepthDataError(
                f'expected images ({", ".join(IMAGE_SUFFIXES)}) in the folder {path}, got none'
            )
        yield from map(_File, images)
    elif not path.is_file():
        raise FileNotFoundError(f'expected {_EXPECTED}; got {path}, which does not exist')
    elif suffix in VIDEO_SUFFIXES:
        yield _Video(path)
    elif suffix in IMAGE_SUFFIXES:
        yield _File(path)
    else:
        raise DepthDataError(f'expected {_EXPECTED}; got {path}')


def _to_uint8(images: np.ndarray | Tensor) -> np.ndarray:
    """(N, H, W, 3) uint8."""
    channels_first = isinstance(images, Tensor)
    array = images.detach().cpu().numpy() if channels_first else images
    array = array[None] if array.ndim == 3 else array
    if channels_first and array.ndim == 4:
        array = array.transpose(0, 2, 3, 1)
    if array.ndim != 4 or array.shape[-1] != 3:
        raise DepthDataError(f'expected {_EXPECTED}; got shape {tuple(images.shape)}')
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype.kind != 'f' or not (array.min() >= 0 and array.max() <= 1):
        raise DepthDataError(
            f'expected RGB as uint8, or as floats in [0, 1]; got {array.dtype} between '
            f'{array.min()} and {array.max()}'
        )
    return np.round(array * 255).astype(np.uint8)
