"""Clips: MP4 and GIF files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ..errors import HybridDepthError
from ..files import temporary_folder

FORMATS = ('mp4', 'gif')


class ClipError(HybridDepthError, ValueError):
    """A clip that cannot be written."""


class _Mp4:
    """MPEG-4 part 2, which OpenCV writes on any machine; sides are made even, as it requires."""

    def __init__(self, path: Path, fps: float) -> None:
        self.path, self.fps, self.writer = path, fps, None

    def write(self, image: np.ndarray) -> None:
        height, width = image.shape[:2]
        image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        if self.writer is None:
            code = cv2.VideoWriter_fourcc(*'mp4v')
            self.writer = cv2.VideoWriter(str(self.path), code, self.fps, image.shape[1::-1])
            if not self.writer.isOpened():
                raise ClipError(
                    f'expected an OpenCV that writes MP4, got one that does not open '
                    f'{image.shape[1]}x{image.shape[0]}; write a GIF instead'
                )
        self.writer.write(np.ascontiguousarray(image[..., ::-1]))

    def close(self) -> None:
        self.writer.release()


class _Gif:
    """GIF that repeats, with 256 colours per frame."""

    def __init__(self, path: Path, fps: float) -> None:
        self.path, self.fps, self.frames = path, fps, []

    def write(self, image: np.ndarray) -> None:
        self.frames.append(Image.fromarray(image).quantize(256, dither=Image.Dither.NONE))

    def close(self) -> None:
        first, *others = self.frames
        duration = round(1000 / self.fps)  # milliseconds
        first.save(self.path, save_all=True, append_images=others, duration=duration, loop=0)


class ClipWriter:
    """Frames of one clip, see `clip_writer`."""

    def __init__(self, part: Path, fps: float) -> None:
        self._writer = (_Gif if part.suffix == '.gif' else _Mp4)(part, fps)
        self._size: tuple[int, int] | None = None

    def write(self, image: np.ndarray) -> None:
        """Add (H, W, 3) uint8 RGB; images of other sizes than the first are fitted into it."""
        self._size = self._size or image.shape[:2]
        self._writer.write(_fitted(image, self._size))

    def finish(self) -> bool:
        """Close the file; False if it has no frame."""
        if self._size is not None:
            self._writer.close()
        return self._size is not None


@contextmanager
def clip_writer(path: str | Path, fps: float) -> Iterator[ClipWriter]:
    """Writer of a clip, which appears at ``path`` if the block succeeds and has written a frame.

    Args:
        path: .mp4 or .gif.
        fps: frames per second.

    Raises:
        ClipError: another suffix, or a frame rate that is not above 0.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with clip_writer(f'{folder}/clip.gif', fps=2) as clip:
        ...         clip.write(np.zeros((4, 6, 3), np.uint8))
        ...     Image.open(f'{folder}/clip.gif').size
        (6, 4)
    """
    path = Path(path)
    if path.suffix.removeprefix('.') not in FORMATS or not fps > 0:
        raise ClipError(
            f'expected a clip in {" or ".join(FORMATS)} with a frame rate above 0, got '
            f'{path.name} with {fps:g}'
        )
    with temporary_folder(path) as folder:
        writer = ClipWriter(folder / f'clip{path.suffix}', fps)
        yield writer
        if writer.finish():
            os.replace(folder / f'clip{path.suffix}', path)


def _fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Image resized to fit into (height, width), on black."""
    if image.shape[:2] == size:
        return image
    scale = min(size[0] / image.shape[0], size[1] / image.shape[1])
    height, width = (max(round(side * scale), 1) for side in image.shape[:2])
    canvas = np.zeros((*size, 3), np.uint8)
    canvas[:height, :width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return canvas
