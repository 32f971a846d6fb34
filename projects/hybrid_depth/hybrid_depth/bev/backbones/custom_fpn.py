"""BEVDet's image neck."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmdet3d.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn


@MODELS.register_module()
class CustomFPN(BaseModule):
    """Feature pyramid network with an output convolution on the finest level only.

    mmdet's ``FPN`` cannot express that; keys equal BEVDet's (docs/reference/bevdet.md,
    "Image neck").

    Args:
        in_channels: channels of each level, finest first.
        out_channels: channels of the output.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int, init_cfg: dict | None = None):
        super().__init__(init_cfg or dict(type='Xavier', layer='Conv2d', distribution='uniform'))
        self.lateral_convs = nn.ModuleList(
            ConvModule(channels, out_channels, 1, act_cfg=None) for channels in in_channels
        )
        self.fpn_convs = nn.ModuleList(
            [ConvModule(out_channels, out_channels, 3, padding=1, act_cfg=None)]
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Levels, finest first -> (M, out_channels, h, w) of the finest."""
        laterals = [conv(x) for conv, x in zip(self.lateral_convs, inputs, strict=True)]
        merged = laterals[-1]
        for finer in reversed(laterals[:-1]):
            merged = finer + F.interpolate(merged, finer.shape[-2:], mode='nearest')
        return self.fpn_convs[0](merged)
