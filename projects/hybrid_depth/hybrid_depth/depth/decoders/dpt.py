"""DPT decoder of Hybrid-depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from .base import DepthDecoder

if TYPE_CHECKING:
    from ..encoders import DepthFeatures


def _resize(x: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(x, size=tuple(size), mode='bilinear', align_corners=True)


class ResidualUnit(nn.Module):
    """Residual unit x + conv(relu(conv(relu(x)))) with 3x3 convolutions, channels unchanged."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class FusionBlock(nn.Module):
    """Fusion of a coarse map with the skip map of its level, then resizing to the next level.

    Args:
        channels: channels of both maps.
        with_skip: False for the coarsest level, which has no coarser map.
    """

    def __init__(self, channels: int, with_skip: bool) -> None:
        super().__init__()
        self.skip_unit = ResidualUnit(channels) if with_skip else None
        self.unit = ResidualUnit(channels)
        self.out_conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, skip: Tensor | None, size: Sequence[int]) -> Tensor:
        """(B, C, h, w), twice, -> (B, C, *size)."""
        if skip is not None:
            x = x + self.skip_unit(skip)
        # the release resizes first; a 1x1 convolution commutes with it, as the weights of a resize
        # add up to 1, and has a quarter of the pixels here
        return _resize(self.out_conv(self.unit(x)), size)


@MODELS.register_module()
class DPTDecoder(DepthDecoder):
    """Dense prediction head over four maps of one size (DPT, arXiv 2103.13413).

    As in Hybrid-depth (docs/reference/hybrid_depth.md, "DPT head"): 1x1 projections; resizing of
    the levels by 4, 2, 1 and 1/2; fusion from the coarsest level up; a final ReLU, so the disparity
    is >= 0 and unbounded. The release converts it to depth by Monodepth2's rule with
    0.1 to 100 m: 1 / (0.01 + 9.99 r).

    Text logits of the encoder are concatenated before the maps: `in_channels` is then
    `encoder.text_channels + encoder.out_channels[i]`.

    Args:
        in_channels: channels of each concatenated map, or one number for all four.
        channels: channels of the fusion.
        level_channels: channels after the projections.
        upsample: upsampling factor of the input grid before the last convolutions; 16 in the
            release (with patches of 14 pixels).
        start: approximate initial output. A ReLU that is zero everywhere has no gradient: with
            PyTorch's random bias (None, as in the release) some seeds do not train.
    """

    scales = (0,)

    def __init__(
        self,
        in_channels: int | Sequence[int],
        channels: int = 256,
        level_channels: Sequence[int] = (256, 512, 1024, 1024),
        upsample: int = 16,
        start: float | None = 0.3,
    ) -> None:
        super().__init__()
        if isinstance(in_channels, int):
            in_channels = [in_channels] * 4
        if len(in_channels) != 4 or len(level_channels) != 4:
            raise ValueError(
                f'expected 4 levels, got in_channels {list(in_channels)} '
                f'and level_channels {list(level_channels)}'
            )
        self.in_channels = list(in_channels)
        self.upsample = upsample
        first, second, _, last = level_channels
        self.projects = nn.ModuleList(
            nn.Conv2d(old, new, 1) for old, new in zip(in_channels, level_channels, strict=True)
        )
        self.resizes = nn.ModuleList(
            [
                nn.ConvTranspose2d(first, first, 4, stride=4),
                nn.ConvTranspose2d(second, second, 2, stride=2),
                nn.Identity(),
                nn.Conv2d(last, last, 3, stride=2, padding=1),
            ]
        )
        self.reduces = nn.ModuleList(
            nn.Conv2d(width, channels, 3, padding=1, bias=False) for width in level_channels
        )
        self.fusions = nn.ModuleList(FusionBlock(channels, with_skip=i < 3) for i in range(4))
        self.neck = nn.Conv2d(channels, channels // 2, 3, padding=1)
        self.head = nn.Sequential(
            nn.Conv2d(channels // 2, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 1, 1)
        )
        if start is not None:
            nn.init.constant_(self.head[-1].bias, start)
            with torch.no_grad():  # else the noise of an untrained network exceeds `start`
                self.head[-1].weight.mul_(0.1)

    def forward(self, features: DepthFeatures, image_size: tuple[int, int]) -> dict[int, Tensor]:
        """Four maps (B, C_i, h, w) and (H, W) -> {0: disparity (B, 1, H, W) >= 0}.

        Raises:
            ValueError: not four maps of one size with `in_channels`.
        """
        maps = features.joined()
        self._check(maps)
        levels = [
            reduce(resize(project(feature)))
            for feature, project, resize, reduce in zip(
                maps, self.projects, self.resizes, self.reduces, strict=True
            )
        ]
        finest = [2 * side for side in levels[0].shape[-2:]]
        sizes = [finest, *(level.shape[-2:] for level in levels[:3])]
        x = self.fusions[3](levels[3], None, sizes[3])
        for i in (2, 1, 0):
            x = self.fusions[i](x, levels[i], sizes[i])
        x = _resize(self.neck(x), [self.upsample * side for side in maps[0].shape[-2:]])
        return {0: _resize(F.relu(self.head(x)), image_size)}

    def _check(self, maps: list[Tensor]) -> None:
        got = [tuple(feature.shape[1:]) for feature in maps]
        size = got[0][1:]
        if got != [(channels, *size) for channels in self.in_channels]:
            raise ValueError(
                f'expected four maps of one size with channels {self.in_channels} '
                f'(text logits included), got (channels, rows, columns) {got}'
            )
