"""Depth net with the maps of a depth encoder as additional input."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from mmdet3d.registry import MODELS
from mmengine.registry import MODELS as DEPTH_MODELS
from torch import Tensor, nn

from ...geometry import CameraRig, DepthBins, GroundPlane
from ...geometry.camera_view import CameraView
from .base import DepthDistribution
from .camera_aware import CameraAwareDepthNet

#: Initial factor from the prior's depth distribution to logits: of 55 bins, the prior's then has
#: about half of the probability.
PRIOR_LOGIT = 5.0


@MODELS.register_module()
class EncoderDepthNet(CameraAwareDepthNet):
    """Camera-aware depth net on image features and the maps of any ``DepthEncoder``.

    Not from a paper: the Hybrid-depth release has no BEV code (docs/reference/hybrid_depth.md,
    "No BEV code"). Each encoder map (with its text logits, if any) is projected by a 1x1
    convolution, resized to the depth net's stride and summed; the sum is concatenated with the
    image features.

    The depth of an encoder's prior (``PriorEncoder``), as a distribution over the bins, is another
    map of the sum, and is added to the depth logits through a 1x1 convolution, initially a scaled
    identity. That of the ground plane (``GroundPlanePrior``, whose plane is that of the rig) lets
    one net serve cameras of different focal length, height and pitch (as the embedding of GenDepth,
    arXiv 2312.06021).

    Args:
        in_channels: image feature channels.
        context_channels: channels to lift.
        bins: shared depth bins.
        encoder: config of any ``DepthEncoder`` (``HybridDepthEncoder``, ``TimmDepthEncoder``, ...),
            in a ``PriorEncoder`` for a prior.
        encoder_channels: channels of the summed encoder maps.
        **kwargs: arguments of ``CameraAwareDepthNet``.
    """

    takes_physics_depth = True

    def __init__(
        self,
        in_channels: int,
        context_channels: int,
        bins: DepthBins,
        encoder: dict,
        encoder_channels: int = 256,
        **kwargs,
    ):
        super().__init__(in_channels + encoder_channels, context_channels, bins, **kwargs)
        self.encoder = DEPTH_MODELS.build(encoder)
        tower = self.encoder.tower
        self.projections = nn.ModuleList(
            nn.Conv2d(tower.text_channels + channels, encoder_channels, 1)
            for channels in tower.out_channels
        )
        self.prior_projection = self.prior_table = None
        if self.encoder.prior is not None:
            self.prior_projection = nn.Conv2d(bins.num, encoder_channels, 1)
            self.prior_table = nn.Conv2d(bins.num, bins.num, 1)
            nn.init.zeros_(self.prior_table.bias)
            with torch.no_grad():
                self.prior_table.weight.copy_(PRIOR_LOGIT * torch.eye(bins.num)[..., None, None])

    def forward(
        self,
        image_feats: Tensor,
        images: Tensor,
        rig: CameraRig,
        physics_depth: Tensor | None = None,
    ) -> DepthDistribution:
        """(B * N, C_in, h, w) features and (B, N, 3, H, W) RGB in [0, 1] -> distribution.

        Args:
            physics_depth: (B, N, H, W) embodied depth, for an ``EmbodiedPrior``.
        """
        maps = self.encoder.tower(images.flatten(0, 1)).joined()
        size = image_feats.shape[-2:]
        joined = sum(
            F.interpolate(projection(x), size, mode='bilinear', align_corners=False)
            for projection, x in zip(self.projections, maps, strict=True)
        )
        if self.prior_table is None:
            return super().forward(torch.cat((image_feats, joined), 1), images, rig)
        depth = self.encoder.prior(_view(images, rig, physics_depth), tuple(size))
        prior = self.bins.soft(depth, sigma=0.5).to(joined)
        joined = joined + self.prior_projection(prior)
        distribution = super().forward(torch.cat((image_feats, joined), 1), images, rig)
        return replace(distribution, logits=distribution.logits + self.prior_table(prior))


def _view(images: Tensor, rig: CameraRig, physics_depth: Tensor | None) -> CameraView:
    """All cameras of a rig as one batch, with the ground plane of their mounting."""
    plane = GroundPlane.from_pose(rig.cam2ego.flatten(0, 1))
    cam2img = (rig.img_aug @ rig.cam2img).flatten(0, 1)
    if physics_depth is not None:
        physics_depth = physics_depth.flatten(0, 1).unsqueeze(1)
    return CameraView(cam2img, tuple(images.shape[-2:]), plane, physics_depth)
