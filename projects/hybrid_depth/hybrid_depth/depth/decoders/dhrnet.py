"""Decoder of D-HRNet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from .base import DepthDecoder
from .monodepth import ConvELU, ReflectConv

if TYPE_CHECKING:
    from ..encoders import DepthFeatures

_ROUNDS = (4, 3, 2)  # coarsest level of each
_LAST = (32, 16)


@MODELS.register_module()
class DHRNetDecoder(DepthDecoder):
    """Disparity decoder of D-HRNet (RA-Depth, arXiv 2207.11984) for five maps.

    All levels but the finest exchange their maps in three rounds, each without the coarsest level
    of the one before (docs/reference/mono_vifi.md, "D-HRNet"). Keys are the official ones.

    Args:
        in_channels: channels of the encoder's maps (text logits included), finest first.
        in_strides: their strides, 2 to 32.

    Raises:
        ValueError: other strides.
    """

    scales = (0,)

    def __init__(
        self,
        in_channels: Sequence[int] = (64, 18, 36, 72, 144),
        in_strides: Sequence[int] = (2, 4, 8, 16, 32),
    ) -> None:
        super().__init__()
        self.in_channels, self.in_strides = list(in_channels), list(in_strides)
        if self.in_strides != [2, 4, 8, 16, 32]:
            raise ValueError(
                f'DHRNetDecoder: expected strides [2, 4, 8, 16, 32], got {self.in_strides}; use '
                'Monodepth2Decoder for other pyramids'
            )
        widths, layers = self.in_channels, []
        for last in _ROUNDS:
            layers += [ConvELU(width, width) for width in widths[1 : last + 1]]
            layers += [ConvELU(widths[i], widths[j], kernel=1) for i, j in _pairs(last)]
        layers += [ConvELU(width, width) for width in widths[:2]]
        layers += [ConvELU(widths[1], widths[0], kernel=1)]
        layers += [ConvELU(widths[0], _LAST[0]), ConvELU(*_LAST), ReflectConv(_LAST[1], 1)]
        self.decoder = nn.ModuleList(layers)

    def forward(self, features: DepthFeatures, image_size: tuple[int, int]) -> dict[int, Tensor]:
        """Maps (B, C_i, H / stride_i, W / stride_i) -> {0: disparity in (0, 1)}.

        Raises:
            ValueError: other channels than `in_channels`, or an image too small for reflection
                padding of the coarsest map.
        """
        levels = features.joined()
        self.check_maps(levels, image_size)
        layers = iter(self.decoder)
        for last in _ROUNDS:
            levels = [levels[0], *(next(layers)(x) for x in levels[1 : last + 1])]
            sums = list(levels)
            for i, j in _pairs(last):
                sums[j] = sums[j] + _upsample(next(layers)(levels[i]), levels[j].shape[-2:])
            levels = sums[:last]
        finest, second = (next(layers)(x) for x in levels)
        x = finest + _upsample(next(layers)(second), finest.shape[-2:])
        x = _upsample(next(layers)(x), image_size)
        x = next(layers)(x)
        return {0: next(layers)(x).sigmoid()}


def _pairs(last: int) -> Iterator[tuple[int, int]]:
    """Levels (coarser, finer) that exchange maps: 2 > 1, 3 > 2, 3 > 1, ..."""
    return ((i, j) for i in range(2, last + 1) for j in range(i - 1, 0, -1))


def _upsample(x: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(x, tuple(size), mode='nearest')
