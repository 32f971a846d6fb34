"""Clips of key frames, one per scene."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from ..files import file_name
from ..visualization.clips import ClipWriter, clip_writer

_WIDEST = 1920  # pixels


class SceneClips:
    """Context of clips `<scene>.<format>`, one at a time: key frames come scene by scene.

    Args:
        out: output folder.
        suffix: 'mp4' or 'gif'.
        fps: frames per second.
    """

    def __init__(self, out: Path, suffix: str, fps: float) -> None:
        self.out, self.suffix, self.fps = out, suffix, fps
        self.files: list[Path] = []
        self._scene: str | None = None
        self._stack = ExitStack()
        self._clip: ClipWriter | None = None

    def write(self, scene: str, image: np.ndarray) -> None:
        """Add (H, W, 3) uint8 RGB, at most 1920 pixels wide in the clip."""
        if scene != self._scene:
            self._stack.close()
            self.files.append(self.out / f'{file_name(scene)}.{self.suffix}')
            self._clip = self._stack.enter_context(clip_writer(self.files[-1], self.fps))
            self._scene = scene
        self._clip.write(shrunk(image, _WIDEST))

    def __enter__(self) -> SceneClips:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)  # an unfinished clip is discarded


def shrunk(image: np.ndarray, width: int) -> np.ndarray:
    """Image (H, W, 3) of at most a width, in pixels."""
    if image.shape[1] <= width:
        return image
    height = max(round(image.shape[0] * width / image.shape[1]), 1)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
