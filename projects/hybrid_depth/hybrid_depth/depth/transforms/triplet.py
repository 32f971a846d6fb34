"""Augmentation of frame triplets for frame interpolation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from mmengine.registry import TRANSFORMS
from PIL import Image

from ...errors import DepthDataError


@TRANSFORMS.register_module()
class AugmentTriplet:
    """Random crop, order of channels, mirror images and direction of time of frames -1, 0, 1.

    For frame interpolation, whose data have no geometry: intrinsics and transforms are removed. The
    published recipe (docs/reference/mono_vifi.md, "Frame interpolation").

    Args:
        size: (width, height) of the crop.
        reverse_channels, flip_rows, flip_columns, reverse_time: probabilities.
    """

    def __init__(
        self,
        size: tuple[int, int],
        reverse_channels: float = 0.5,
        flip_rows: float = 0.3,
        flip_columns: float = 0.5,
        reverse_time: float = 0.5,
    ):
        self.size = tuple(size)
        self.probabilities = (reverse_channels, flip_rows, flip_columns, reverse_time)

    def draw(self) -> list[float]:
        """Six uniform numbers in [0, 1): place of the crop (x, y), then one per probability."""
        return torch.rand(6).tolist()

    def __call__(self, results: dict) -> dict:
        x, y, *draws = self.draw()
        frames = results['frames']
        width, height = frames[0].size
        room = (width - self.size[0] + 1, height - self.size[1] + 1)
        if set(frames) != {-1, 0, 1} or min(room) < 1:
            raise DepthDataError(
                f'AugmentTriplet: expected frames -1, 0, 1 of at least {self.size} pixels, got '
                f'{list(frames)} of {frames[0].size}; set frame_ids of the data set, or resize'
            )
        left, top = int(x * room[0]), int(y * room[1])
        channels, rows, columns, time = (
            draw < share for draw, share in zip(draws, self.probabilities, strict=True)
        )
        steps: Sequence[Callable[[Image.Image], Image.Image]] = [
            lambda frame: frame.crop((left, top, left + self.size[0], top + self.size[1])),
            *([_reverse_channels] if channels else []),
            *([lambda frame: frame.transpose(Image.Transpose.FLIP_TOP_BOTTOM)] if rows else []),
            *([lambda frame: frame.transpose(Image.Transpose.FLIP_LEFT_RIGHT)] if columns else []),
        ]
        for step in steps:
            frames = {i: step(frame) for i, frame in frames.items()}
        if time:
            frames = {i: frames[-i] for i in frames}
        kept = {k: v for k, v in results.items() if k not in ('cam2img', 'transforms')}
        return dict(kept, frames=frames, img_shape=self.size[::-1])


def _reverse_channels(frame: Image.Image) -> Image.Image:
    return Image.merge('RGB', frame.split()[::-1])
