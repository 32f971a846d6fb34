"""Colour jitter of training images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.registry import TRANSFORMS
from PIL import Image

_STEPS = ('adjust_brightness', 'adjust_contrast', 'adjust_saturation', 'adjust_hue')


@TRANSFORMS.register_module()
class JitterFrames:
    """Colour jitter of the networks' input: sets `augmented`; `frames` are unchanged.

    Affine views (`AffineFrames`) are jittered too. On 8-bit images, after resizing
    (docs/reference/kitti.md, "Training samples"). Ranges are
    (lowest, highest) factor; for hue, shift in turns.

    Args:
        prob: probability that a sample is jittered.
        per_frame: draw for each frame (Hybrid-depth, Mono-ViFI) instead of once per sample
            (Monodepth2).
    """

    def __init__(
        self,
        brightness: Sequence[float] = (0.8, 1.2),
        contrast: Sequence[float] = (0.8, 1.2),
        saturation: Sequence[float] = (0.8, 1.2),
        hue: Sequence[float] = (-0.1, 0.1),
        prob: float = 0.5,
        per_frame: bool = False,
    ):
        self.ranges = [list(bounds) for bounds in (brightness, contrast, saturation, hue)]
        self.prob = prob
        self.per_frame = per_frame

    def draw(self) -> list[tuple[int, float]]:
        """Random steps (0 brightness, 1 contrast, 2 saturation, 3 hue) in order, with factors."""
        from torchvision.transforms import (
            ColorJitter,
        )  # takes a second to import, and only training needs it

        order, *factors = ColorJitter.get_params(*self.ranges)
        return [(int(step), factors[step]) for step in order]

    @staticmethod
    def apply(frame: Image.Image, steps: list[tuple[int, float]]) -> Image.Image:
        """The frame after the steps."""
        from torchvision.transforms import functional

        for step, factor in steps:
            frame = getattr(functional, _STEPS[step])(frame, factor)
        return frame

    def __call__(self, results: dict) -> dict:
        if torch.rand(()) >= self.prob:
            return results
        common = self.draw()

        def jittered(frames: dict) -> dict:
            return {
                i: self.apply(frame, self.draw() if self.per_frame else common)
                for i, frame in frames.items()
            }

        results = dict(results, augmented=jittered(results['frames']))
        if 'affine' in results:
            affine = results['affine']
            results['affine'] = dict(affine, augmented=jittered(affine['frames']))
        return results
