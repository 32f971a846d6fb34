"""Decoder of Lite-Mono."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from .base import DepthDecoder
from .monodepth import ConvELU, ReflectConv

if TYPE_CHECKING:
    from ..encoders import DepthFeatures


@MODELS.register_module()
class LiteMonoDecoder(DepthDecoder):
    """Disparity decoder of Lite-Mono (arXiv 2211.13202).

    Monodepth2's at half the widths of the encoder, with bilinear upsampling; the last one by two is
    that of the disparity (docs/reference/mono_vifi.md, "Lite-Mono"). Keys are the official ones.

    Args:
        in_channels: channels of the encoder's maps (text logits included), finest first.
        in_strides: their strides, from 4 on, each twice the one before.

    Raises:
        ValueError: other strides.
    """

    scales = (0,)

    def __init__(
        self,
        in_channels: Sequence[int] = (48, 80, 128),
        in_strides: Sequence[int] = (4, 8, 16),
    ) -> None:
        super().__init__()
        self.in_channels, self.in_strides = list(in_channels), list(in_strides)
        if self.in_strides != [4 * 2**i for i in range(len(self.in_channels))]:
            raise ValueError(
                f'LiteMonoDecoder: expected strides 4, 8, 16, ..., got {self.in_strides}; use '
                'Monodepth2Decoder for other pyramids'
            )
        width, layers = self.in_channels[-1], []
        for level in reversed(range(len(self.in_channels))):
            new = self.in_channels[level] // 2
            skip = self.in_channels[level - 1] if level else 0
            layers += [ConvELU(width, new), ConvELU(new + skip, new)]
            width = new
        self.decoder = nn.ModuleList([*layers, ReflectConv(width, 1)])

    def forward(self, features: DepthFeatures, image_size: tuple[int, int]) -> dict[int, Tensor]:
        """Maps (B, C_i, H / stride_i, W / stride_i) -> {0: disparity in (0, 1)}.

        Raises:
            ValueError: other channels than `in_channels`, or an image too small for reflection
                padding of the coarsest map.
        """
        maps = features.joined()
        self.check_maps(maps, image_size)
        x, layers = maps[-1], iter(self.decoder)
        for skip in (*reversed(maps[:-1]), None):
            x = next(layers)(x)
            half = tuple(-(-side // 2) for side in image_size)
            x = _upsample(x, half if skip is None else skip.shape[-2:])
            x = next(layers)(x if skip is None else torch.cat([x, skip], 1))
        return {0: _upsample(next(layers)(x), image_size).sigmoid()}


def _upsample(x: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(x, tuple(size), mode='bilinear', align_corners=False)
