"""Clip of predicted depth with one colour range."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from ..visualization.clips import clip_writer
from .depth import DepthResult
from .depth_writer import color_range, render_depth
from .scene_clips import shrunk

_WIDEST = 960  # pixels
_SAMPLES = 1000  # depths per image that the colour range is computed from


class DepthClip:
    """Results of a clip, kept on disk until its colour range is known, see `depth_clip`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._depths: list[np.ndarray] = []
        self._results: list[DepthResult] = []  # without their arrays

    def add(self, result: DepthResult) -> None:
        """Add the next image."""
        image = shrunk(result.image, _WIDEST)
        disparity = cv2.resize(result.disparity, image.shape[1::-1], interpolation=cv2.INTER_AREA)
        np.savez(self._file(len(self._results)), image=image, disparity=disparity)
        depth = result.depth.ravel()
        self._depths.append(depth[:: max(depth.size // _SAMPLES, 1)])
        nothing = np.empty(0)
        self._results.append(replace(result, image=nothing, disparity=nothing))

    def range(self) -> tuple[float, float]:
        """Near and far end of the colours, from all images."""
        return color_range(np.concatenate(self._depths))

    def results(self) -> Iterator[DepthResult]:
        """The results added, at the size of the clip."""
        for index, result in enumerate(self._results):
            with np.load(self._file(index), allow_pickle=False) as arrays:
                yield replace(result, image=arrays['image'], disparity=arrays['disparity'])

    def _file(self, index: int) -> Path:
        return self._folder / f'{index}.npz'

    def __len__(self) -> int:
        return len(self._results)


@contextmanager
def depth_clip(
    path: str | Path, fps: float, depth_range: tuple[float, float] | None = None
) -> Iterator[DepthClip]:
    """Collects results, and writes them at the end as a clip with one colour range.

    Args:
        path: .mp4 or .gif; images with their depth below (`render_depth`), at most 960 pixels wide.
        fps: frames per second.
        depth_range: near and far end of the colours, in the results' unit; None for the 5th and
            95th percentile of the clip.

    Raises:
        ClipError: another suffix.
    """
    with clip_writer(path, fps) as writer, tempfile.TemporaryDirectory() as folder:
        clip = DepthClip(Path(folder))
        yield clip
        if len(clip):
            near, far = depth_range or clip.range()
            for result in clip.results():
                writer.write(render_depth(result, near, far))
