"""U-Net decoder of Monodepth2."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from .base import DepthDecoder

if TYPE_CHECKING:
    from ..encoders import DepthFeatures

WIDTHS = (16, 32, 64, 128, 256)


class ReflectConv(nn.Module):
    """Convolution, 3x3 by default, with reflection padding."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel, padding=kernel // 2, padding_mode='reflect'
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C', h, w)."""
        return self.conv(x)


class ConvELU(nn.Module):
    """`ReflectConv`, then ELU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = ReflectConv(in_channels, out_channels, kernel)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C', h, w)."""
        return F.elu(self.conv(x))


@MODELS.register_module()
class Monodepth2Decoder(DepthDecoder):
    """Disparity decoder of Monodepth2 (arXiv 1806.01260), from the coarsest map up.

    Source: docs/reference/monodepth2.md, "Depth decoder".

    Each level has a convolution, nearest upsampling, concatenation of the encoder's map of that
    stride (if any), and a convolution. A head with a sigmoid predicts the disparity of each scale.
    Works with any pyramid whose strides are distinct powers of two, and any image size: maps are
    upsampled to the size of the next map, by two if the image is a multiple of the coarsest stride.

    Keys are the official ones: `decoder.0..` are the levels, coarsest first, two each, then the
    heads in ascending order of scale.

    Args:
        in_channels: channels of the encoder's maps (text logits included), finest first.
        in_strides: strides of the maps.
        scales: scales of the disparities; scale s has 1 / 2^s of the image size.
        start: approximate initial output of the heads, in (0, 1). An untrained head outputs about
            0.5, which is 20 cm with the default depth range: a large first step can saturate the
            sigmoid of some or all scales. PyTorch's random bias (None) suits pretrained encoders.

    Raises:
        ValueError: strides that are not distinct powers of two, or a scale that is not decoded.
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (64, 64, 128, 256, 512),
        in_strides: Sequence[int] = (2, 4, 8, 16, 32),
        scales: Sequence[int] = (0, 1, 2, 3),
        start: float | None = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.in_strides = list(in_channels), list(in_strides)
        self.scales = tuple(sorted(scales))
        self.num_levels = self._count_levels()
        skips = dict(zip(self.in_strides, self.in_channels, strict=True))
        width, layers = self.in_channels[-1], []
        for level in reversed(range(self.num_levels)):
            skip = skips.get(2**level, 0) if level > 0 else 0
            new = WIDTHS[level]
            layers += [ConvELU(width, new), ConvELU(new + skip, new)]
            width = new
        layers += [ReflectConv(WIDTHS[scale], 1) for scale in self.scales]
        self.decoder = nn.ModuleList(layers)
        if start is not None:
            for head in layers[2 * self.num_levels :]:
                nn.init.constant_(head.conv.bias, math.log(start / (1 - start)))

    def _count_levels(self) -> int:
        powers = [2**i for i in range(1, len(WIDTHS) + 1)]
        strides = self.in_strides
        if strides != sorted(set(strides)) or not set(strides) <= set(powers):
            raise ValueError(
                f'Monodepth2Decoder: expected ascending strides among {powers}, got {strides}; '
                'use DPTDecoder for maps of one size'
            )
        levels = int(math.log2(strides[-1]))
        if not self.scales or self.scales[0] < 0 or self.scales[-1] >= levels:
            raise ValueError(
                f'Monodepth2Decoder: expected scales from 0 to {levels - 1}, got {self.scales}'
            )
        return levels

    def forward(self, features: DepthFeatures, image_size: tuple[int, int]) -> dict[int, Tensor]:
        """Maps (B, C_i, H / stride_i, W / stride_i) -> {scale: disparity in (0, 1)}.

        Raises:
            ValueError: other channels than `in_channels`, or an image too small for reflection
                padding of the coarsest map.
        """
        maps = features.joined()
        self.check_maps(maps, image_size)
        skips = dict(zip(self.in_strides, maps, strict=True))
        x, outputs, layers = maps[-1], {}, iter(self.decoder)
        for level in reversed(range(self.num_levels)):
            skip = skips.get(2**level) if level > 0 else None
            x = next(layers)(x)
            size = tuple(-(-side // 2**level) for side in image_size)
            x = F.interpolate(x, size=size if skip is None else skip.shape[-2:], mode='nearest')
            x = next(layers)(x if skip is None else torch.cat([x, skip], dim=1))
            if level in self.scales:
                head = self.decoder[2 * self.num_levels + self.scales.index(level)]
                outputs[level] = head(x).sigmoid()
        return dict(sorted(outputs.items()))
