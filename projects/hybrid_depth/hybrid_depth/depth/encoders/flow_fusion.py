"""Fusion of the features of three frames along optical flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...geometry.flow import resize_flow, warp_by_flow
from ..decoders.monodepth import ConvELU
from .base import DepthFeatures

_BANDS = 10
#: Channels of `embed_flow`.
EMBEDDING = 2 + 4 * _BANDS


@dataclass(frozen=True)
class Alignment:
    """How two neighbours of a frame are brought to it.

    Attributes:
        flow_previous, flow_next: (B, 2, H, W) from the frame to its neighbours, pixels.
        mask: (B, 1, H, W) share of the previous one, in [0, 1].
    """

    flow_previous: Tensor
    flow_next: Tensor
    mask: Tensor


class FlowFusion(nn.Module):
    """Fusion of every map of a frame with those of two neighbours, warped to it by optical flow.

    Mono-ViFI, arXiv 2407.14126, section 3.3; docs/reference/mono_vifi.md, "Fusion". State-dict keys
    are the official ones: `fusion_conv.0` is that of the coarsest map.

    Args:
        channels: of the encoder's maps, finest first.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.fusion_conv = nn.ModuleList(
            ConvELU(2 * (width + EMBEDDING), width, kernel=1) for width in reversed(channels)
        )

    def forward(
        self,
        previous: DepthFeatures,
        centre: DepthFeatures,
        following: DepthFeatures,
        alignment: Alignment,
    ) -> DepthFeatures:
        """Features of three frames -> those of the one in the centre, of the same shapes.

        Text logits and class token are those of the centre.
        """
        levels = zip(
            reversed(self.fusion_conv), previous.maps, centre.maps, following.maps, strict=True
        )
        maps = [
            convolution(_join(before, middle, after, alignment))
            for convolution, before, middle, after in levels
        ]
        return DepthFeatures(maps, centre.text_logits, centre.class_token)


def embed_flow(flow: Tensor) -> Tensor:
    """Flow (B, 2, h, w) and its Fourier features -> (B, EMBEDDING, h, w)."""
    bands = [flow]
    for k in range(_BANDS):
        bands += [(2**k * flow).sin(), (2**k * flow).cos()]
    return torch.cat(bands, 1)


def shrink_flow(flow: Tensor, size: Sequence[int]) -> Tensor:
    """Flow (B, 2, H, W) halved repeatedly, then resized to (B, 2, *size), in pixels of it."""
    rows, columns = size
    while flow.shape[-2] >= 2 * rows and flow.shape[-1] >= 2 * columns:
        flow = resize_flow(flow, (flow.shape[-2] // 2, flow.shape[-1] // 2))
    return resize_flow(flow, size)


def align(feature: Tensor, flow: Tensor) -> Tensor:
    """A neighbour's map (B, C, h, w) and the flow to it -> the map, warped, and the embedding."""
    size = feature.shape[-2:]
    warped = warp_by_flow(feature, resize_flow(flow, size))
    return torch.cat([warped, embed_flow(shrink_flow(flow, size))], 1)


def _join(previous: Tensor, centre: Tensor, following: Tensor, alignment: Alignment) -> Tensor:
    size = centre.shape[-2:]
    share = F.interpolate(alignment.mask, size, mode='bilinear', align_corners=False)
    merged = share * align(previous, alignment.flow_previous)
    merged = merged + (1 - share) * align(following, alignment.flow_next)
    still = embed_flow(torch.zeros_like(centre[:, :1]).repeat(1, 2, 1, 1))  # free sizes in ONNX
    return torch.cat([centre, still, merged], 1)
