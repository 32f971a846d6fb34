"""Depth net of BEVDet: one 1x1 convolution."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet3d.registry import MODELS
from torch import Tensor, nn

from ...geometry import CameraRig, DepthBins
from .base import DepthDistribution, DepthNet


@MODELS.register_module()
class PlainDepthNet(DepthNet, nn.Conv2d):
    """Depth net of one 1x1 convolution to depth logits and context (BEVDet, arXiv 2112.11790).

    Source: docs/reference/bevdet.md, "Plain depth net". It subclasses the convolution, so that its
    keys are ``depth_net.{weight,bias}`` as in official weights.

    Args:
        in_channels: image feature channels.
        context_channels: channels to lift.
        bins: shared depth bins.
        depth_supervision: see ``DepthNet``.
    """

    def __init__(
        self,
        in_channels: int,
        context_channels: int,
        bins: DepthBins,
        depth_supervision: Sequence[dict] = (),
    ):
        nn.Conv2d.__init__(self, in_channels, bins.num + context_channels, 1)
        self.set_up_depth(bins, depth_supervision)

    def forward(self, image_feats: Tensor, images: Tensor, rig: CameraRig) -> DepthDistribution:
        """(B * N, C_in, h, w) features -> distribution; images and rig are not used."""
        out = nn.Conv2d.forward(self, image_feats)
        return DepthDistribution(logits=out[:, : self.bins.num], context=out[:, self.bins.num :])
