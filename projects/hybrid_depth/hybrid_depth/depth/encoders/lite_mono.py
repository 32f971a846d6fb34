"""Lite-Mono: convolutions and attention between channels in a small depth encoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from ...foundation.images import InputNormalization
from .base import DepthEncoder, DepthFeatures

#: Dilations of the dilated blocks of each stage, by what the images are.
DILATIONS = dict(
    standard=((1, 2, 3), (1, 2, 3), (1, 2, 3, 1, 2, 3, 2, 4, 6)),
    high=((1, 2, 5), (1, 2, 5), (1, 2, 5, 1, 2, 5, 2, 4, 10)),
)
_EXPANSION, _HEADS, _SCALE = 6, 8, 1e-6


class _Conv(nn.Module):
    """3x3 convolution without bias, and norm with GELU if `activated`."""

    def __init__(self, inputs: int, width: int, stride: int, activated: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        if activated:
            self.bn_gelu = _NormGELU(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C', h / stride, w / stride)."""
        x = self.conv(x)
        return self.bn_gelu(x) if hasattr(self, 'bn_gelu') else x


class _NormGELU(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C, h, w)."""
        return F.gelu(self.bn(x))


class _DepthwiseConv(nn.Module):
    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            width, width, 3, padding=dilation, dilation=dilation, groups=width, bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C, h, w)."""
        return self.conv(x)


class _Block(nn.Module):
    """Residual block that ends in two linear layers on every pixel."""

    def __init__(self, width: int, drop_path: float) -> None:
        super().__init__()
        from timm.layers import DropPath  # takes a second to import; many models do not use it

        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pwconv1 = nn.Linear(width, _EXPANSION * width)
        self.pwconv2 = nn.Linear(_EXPANSION * width, width)
        self.gamma = nn.Parameter(torch.full((width,), _SCALE))
        self.drop_path = DropPath(drop_path)

    def _add(self, x: Tensor, tokens: Tensor) -> Tensor:
        """Input (B, C, h, w), and tokens (B, h, w, C) made of it -> (B, C, h, w)."""
        change = self.gamma * self.pwconv2(F.gelu(self.pwconv1(tokens)))
        return x + self.drop_path(change.permute(0, 3, 1, 2))


class _DilatedBlock(_Block):
    """Depthwise dilated convolution. The norm of the base class is official, and not used."""

    def __init__(self, width: int, dilation: int, drop_path: float) -> None:
        super().__init__(width, drop_path)
        self.norm.requires_grad_(False)
        self.ddwconv = _DepthwiseConv(width, dilation)
        self.bn1 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C, h, w)."""
        return self._add(x, self.bn1(self.ddwconv(x)).permute(0, 2, 3, 1))


class _LocalGlobalBlock(_Block):
    """Attention between channels (XCiT, arXiv 2106.09681), with positions if `positions`."""

    def __init__(self, width: int, drop_path: float, positions: bool) -> None:
        super().__init__(width, drop_path)
        from timm.models.xcit import XCA, PositionalEncodingFourier

        self.pos_embd = PositionalEncodingFourier(dim=width) if positions else None
        self.norm_xca = nn.LayerNorm(width, eps=1e-6)
        self.gamma_xca = nn.Parameter(torch.full((width,), _SCALE))
        self.xca = XCA(width, _HEADS, qkv_bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C, h, w)."""
        batch, _, rows, columns = x.shape
        tokens = x if self.pos_embd is None else x + self.pos_embd(batch, rows, columns)
        tokens = tokens.flatten(2).transpose(1, 2)
        tokens = tokens + self.gamma_xca * self.xca(self.norm_xca(tokens))
        return self._add(x, self.norm(tokens).unflatten(1, (rows, columns)))


@MODELS.register_module()
class LiteMonoEncoder(DepthEncoder):
    """Encoder of Lite-Mono (arXiv 2211.13202): 3 M parameters, any input size.

    Dilated convolutions, and attention between channels at the end of each stage
    (docs/reference/mono_vifi.md, "Lite-Mono"). State-dict keys are the official ones.

    Args:
        dilations: 'standard', or 'high' as published for images of 320x1024.
        drop_path: probability of leaving out the last block of a training step, rises linearly
            from 0 for the first.
        mean, std: see `InputNormalization`; the defaults are Monodepth2's.

    Raises:
        ValueError: other dilations.
    """

    def __init__(
        self,
        dilations: str = 'standard',
        drop_path: float = 0.2,
        mean: str | Sequence[float] = (0.45, 0.45, 0.45),
        std: str | Sequence[float] = (0.225, 0.225, 0.225),
    ) -> None:
        super().__init__()
        if dilations not in DILATIONS:
            raise ValueError(
                f'LiteMonoEncoder: expected dilations out of {tuple(DILATIONS)}, got {dilations!r}'
            )
        self.normalize = InputNormalization(mean, std)
        self.out_channels, self.out_strides = [48, 80, 128], [4, 8, 16]
        first, second, third = self.out_channels
        stem = (_Conv(3, first, 2, True), *(_Conv(first, first, 1, True) for _ in range(2)))
        self.downsample_layers = nn.ModuleList(
            [
                nn.Sequential(*stem),
                nn.Sequential(_Conv(2 * first + 3, second, 2)),
                nn.Sequential(_Conv(2 * second + 3, third, 2)),
            ]
        )
        self.stem2 = nn.Sequential(_Conv(first + 3, first, 2))
        self.stages = self._stages(DILATIONS[dilations], drop_path)
        self.apply(_init)

    def _stages(self, dilations: Sequence[Sequence[int]], drop_path: float) -> nn.ModuleList:
        count = sum(len(stage) + 1 for stage in dilations)
        rates = (drop_path * number / (count - 1) for number in range(count))
        return nn.ModuleList(
            nn.Sequential(
                *(_DilatedBlock(width, dilation, next(rates)) for dilation in stage),
                _LocalGlobalBlock(width, next(rates), positions=number == 0),
            )
            for number, (width, stage) in enumerate(zip(self.out_channels, dilations, strict=True))
        )

    def forward(self, images: Tensor) -> DepthFeatures:
        """Images (B, 3, H, W), RGB float in [0, 1] -> three maps, strides 4, 8, 16."""
        image = self.normalize(images)
        stem, image = self.downsample_layers[0](image), _halve(image)
        entered = self.stem2(torch.cat([stem, image], 1))
        maps = [self.stages[0](entered)]
        for downsample, stage in zip(self.downsample_layers[1:], self.stages[1:], strict=True):
            image = _halve(image)
            entered = downsample(torch.cat([entered, maps[-1], image], 1))
            maps.append(stage(entered))
        return DepthFeatures(maps)


def _halve(image: Tensor) -> Tensor:
    return F.avg_pool2d(image, 3, stride=2, padding=1)


def _init(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
