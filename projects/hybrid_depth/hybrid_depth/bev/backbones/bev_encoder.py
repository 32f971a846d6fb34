"""BEVDet's BEV encoder: residual stages and neck."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmcv.cnn import build_norm_layer
from mmdet.models.backbones.resnet import BasicBlock
from mmdet3d.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn


@MODELS.register_module()
class CustomResNet(BaseModule):
    """BEV backbone of residual stages, with a 3x3 convolution with bias as shortcut.

    Source: docs/reference/bevdet.md, "BEV trunk".

    Args:
        in_channels: channels of the BEV map.
        channels: width of each stage.
        num_blocks: blocks of each stage.
        strides: stride of each stage.
        norm_cfg: normalisation layer.
    """

    def __init__(
        self,
        in_channels: int,
        channels: Sequence[int] = (128, 256, 512),
        num_blocks: Sequence[int] = (2, 2, 2),
        strides: Sequence[int] = (2, 2, 2),
        norm_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        norm_cfg = norm_cfg or dict(type='BN')
        stages = []
        for width, blocks, stride in zip(channels, num_blocks, strides, strict=True):
            shortcut = nn.Conv2d(in_channels, width, 3, stride, 1)
            stage = [BasicBlock(in_channels, width, stride, downsample=shortcut, norm_cfg=norm_cfg)]
            stage += [BasicBlock(width, width, norm_cfg=norm_cfg) for _ in range(blocks - 1)]
            stages.append(nn.Sequential(*stage))
            in_channels = width
        self.layers = nn.Sequential(*stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, C, Y, X) -> one map per stage."""
        outs = []
        for stage in self.layers:
            x = stage(x)
            outs.append(x)
        return outs


@MODELS.register_module()
class FPN_LSS(BaseModule):  # noqa: N801  BEVDet's name
    """BEV neck: fusion of the first and last stage, upsampled to the input resolution.

    Source: docs/reference/bevdet.md, "BEV trunk".

    Args:
        in_channels: channels of first plus last stage.
        out_channels: output channels; the inner width is twice that before an extra upsampling.
        scale_factor: upsampling from the last to the first stage.
        extra_upsample: upsampling from the first stage to the output; None if it has stride 1.
        norm_cfg: normalisation layer.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 256,
        scale_factor: int = 4,
        extra_upsample: int | None = 2,
        norm_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        norm_cfg = norm_cfg or dict(type='BN')
        mid = 2 * out_channels if extra_upsample else out_channels
        self.up = _upsample(scale_factor)
        self.conv = nn.Sequential(
            *_conv_norm_relu(in_channels, mid, norm_cfg), *_conv_norm_relu(mid, mid, norm_cfg)
        )
        self.up2 = nn.Identity()
        if extra_upsample:
            self.up2 = nn.Sequential(
                _upsample(extra_upsample),
                *_conv_norm_relu(mid, out_channels, norm_cfg),
                nn.Conv2d(out_channels, out_channels, 1),
            )

    def forward(self, stages: Sequence[Tensor]) -> Tensor:
        """Stages of ``CustomResNet`` -> (B, out_channels, Y, X)."""
        return self.up2(self.conv(torch.cat((stages[0], self.up(stages[-1])), 1)))


def _upsample(factor: int) -> nn.Upsample:
    return nn.Upsample(scale_factor=factor, mode='bilinear', align_corners=True)


def _conv_norm_relu(in_channels: int, out_channels: int, norm_cfg: dict) -> list[nn.Module]:
    return [
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        build_norm_layer(norm_cfg, out_channels)[1],
        nn.ReLU(inplace=True),
    ]
