"""Depth net with the maps of a depth encoder as additional input."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from mmdet3d.registry import MODELS
from mmengine.registry import MODELS as DEPTH_MODELS
from torch import Tensor, nn

from ...geometry import CameraRig, DepthBins, cell_pixels, ground_plane_depth
from .base import DepthDistribution
from .camera_aware import CameraAwareDepthNet

#: Initial factor from the ground depth distribution to logits: of 55 bins, the ground's then has
#: about half of the probability.
GROUND_LOGIT = 5.0


@MODELS.register_module()
class EncoderDepthNet(CameraAwareDepthNet):
    """Camera-aware depth net on image features and the maps of any ``DepthEncoder``.

    Not from a paper: the Hybrid-depth release has no BEV code (docs/reference/hybrid_depth.md,
    "No BEV code"). Each encoder map (with its text logits, if any) is projected by a 1x1
    convolution, resized to the depth net's stride and summed; the sum is concatenated with the
    image features.

    With ``ground_prior`` the depth of the ground plane (``ground_plane_depth``, as a distribution
    over the bins) is another map of the sum, and is added to the depth logits through a 1x1
    convolution, initially a scaled identity. It lets one net serve cameras of different focal
    length, height and pitch (as the embedding of GenDepth, arXiv 2312.06021).

    Args:
        in_channels: image feature channels.
        context_channels: channels to lift.
        bins: shared depth bins.
        encoder: config of any ``DepthEncoder`` (``HybridDepthEncoder``, ``TimmDepthEncoder``, ...).
        encoder_channels: channels of the summed encoder maps.
        ground_prior: use the depth of the ground plane.
        **kwargs: arguments of ``CameraAwareDepthNet``.
    """

    def __init__(
        self,
        in_channels: int,
        context_channels: int,
        bins: DepthBins,
        encoder: dict,
        encoder_channels: int = 256,
        ground_prior: bool = True,
        **kwargs,
    ):
        super().__init__(in_channels + encoder_channels, context_channels, bins, **kwargs)
        self.encoder = DEPTH_MODELS.build(encoder)
        self.projections = nn.ModuleList(
            nn.Conv2d(self.encoder.text_channels + channels, encoder_channels, 1)
            for channels in self.encoder.out_channels
        )
        self.ground_projection = self.ground_table = None
        if ground_prior:
            self.ground_projection = nn.Conv2d(bins.num, encoder_channels, 1)
            self.ground_table = nn.Conv2d(bins.num, bins.num, 1)
            nn.init.zeros_(self.ground_table.bias)
            with torch.no_grad():
                self.ground_table.weight.copy_(GROUND_LOGIT * torch.eye(bins.num)[..., None, None])

    def forward(self, image_feats: Tensor, images: Tensor, rig: CameraRig) -> DepthDistribution:
        """(B * N, C_in, h, w) features and (B, N, 3, H, W) RGB in [0, 1] -> distribution."""
        maps = self.encoder(images.flatten(0, 1)).joined()
        size = image_feats.shape[-2:]
        joined = sum(
            F.interpolate(projection(x), size, mode='bilinear', align_corners=False)
            for projection, x in zip(self.projections, maps, strict=True)
        )
        if self.ground_table is None:
            return super().forward(torch.cat((image_feats, joined), 1), images, rig)
        ground = self._ground(size, images.shape[-2:], rig).to(joined)
        joined = joined + self.ground_projection(ground)
        distribution = super().forward(torch.cat((image_feats, joined), 1), images, rig)
        return replace(distribution, logits=distribution.logits + self.ground_table(ground))

    def _ground(self, size: tuple[int, int], image_size: tuple[int, int], rig: CameraRig) -> Tensor:
        """Ground depth distribution (B * N, D, h, w), zero for pixels without ground."""
        pixels = cell_pixels(size, image_size).to(rig.cam2img)
        depth = ground_plane_depth(pixels, rig, max_depth=self.bins.stop)
        return self.bins.soft(depth.flatten(0, 1), sigma=0.5)
