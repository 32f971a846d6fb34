"""Matching costs between the stages of an encoder."""

from __future__ import annotations

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn

from ...geometry.cost_volume import CostVolume, depth_planes, plane_sweep

_MOMENTUM, _MARGIN = 0.99, 0.1


class CostVolumeFusion(nn.Module):
    """Cost volume of a feature map, fused with the map by a convolution; and its range of depths.

    ManyDepth, arXiv 2104.14540, section 3; docs/reference/manydepth.md, "Matching encoder". The
    range follows the depths that a teacher estimates (docs/reference/manydepth.md, "Adaptive
    bins"), and is part of the state dict: the depths of a volume have no scale of their own.

    Args:
        channels: of the map.
        num_bins, spacing, chunk: see `depth_planes` and `plane_sweep`.
        depth_range: smallest and largest depth at the start of a training.
        prematching_conv: keep the published 1x1 convolution that never runs, for parity
            (docs/reference/manydepth.md, "Oddities").

    Attributes:
        depth_range: (2,) float64 buffer, smallest and largest depth of the bins.
    """

    def __init__(
        self,
        channels: int,
        num_bins: int = 96,
        spacing: str = 'linear',
        depth_range: tuple[float, float] = (0.1, 10.0),
        chunk: int = 2,
        prematching_conv: bool = False,
    ) -> None:
        super().__init__()
        if not 0 < depth_range[0] < depth_range[1]:
            raise ValueError(f'depth_range: expected 0 < near < far, got {tuple(depth_range)}')
        self.num_bins, self.spacing, self.chunk = num_bins, spacing, chunk
        self.register_buffer('depth_range', torch.tensor(depth_range, dtype=torch.float64))
        self.prematching_conv = None
        if prematching_conv:
            self.prematching_conv = nn.Sequential(nn.Conv2d(channels, 16, 1))
        self.reduce_conv = nn.Sequential(
            nn.Conv2d(channels + num_bins, channels, 3, padding=1), nn.ReLU(inplace=True)
        )

    def sweep(
        self, target: Tensor, lookups: Tensor, cam2img: Tensor, transforms: Tensor
    ) -> CostVolume:
        """See `plane_sweep`, in float32."""
        planes = depth_planes(self.depth_range, self.num_bins, self.spacing)
        with torch.autocast(target.device.type, enabled=False):
            tensors = (x.detach().float() for x in (target, lookups, cam2img, transforms))
            return plane_sweep(*tensors, planes, self.chunk)

    def forward(self, feature: Tensor, volume: CostVolume) -> Tensor:
        """Map (B, C, h, w) and its costs -> the map that the next stage takes, same shape.

        Costs of pixels that were not compared at every bin count as 0.
        """
        costs = volume.costs * volume.confidence.unsqueeze(1)
        return self.reduce_conv(torch.cat([feature, costs.to(feature.dtype)], 1))

    @torch.no_grad()
    def track(self, depth: Tensor, min_depth: float) -> None:
        """Let the range follow depths (B, 1, H, W); its near end stays above `min_depth`."""
        near, far = depth.detach().flatten(1).double().aminmax(dim=1)
        seen = torch.stack([near.mean() * (1 - _MARGIN), far.mean() * (1 + _MARGIN)])
        all_reduce(seen, 'mean')
        seen[0].clamp_(min=min_depth)
        self.depth_range.mul_(_MOMENTUM).add_(seen.to(self.depth_range), alpha=1 - _MOMENTUM)
