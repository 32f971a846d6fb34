"""What the image adds to the text's distribution: the latent's local deviation, and the scale."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConditionalSampler(nn.Module):
    """Standardised deviation of the latent in every cell, from the image and the distribution.

    WorDepth (docs/reference/wordepth.md, "WorDepth"): 1x1 convolution of the image features
    and the broadcast mean and standard deviation, then a 3x3 convolution.

    Args:
        channels: channels of the image features.
        latent: width of the latent.
    """

    def __init__(self, channels: int = 512, latent: int = 128) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels + 2 * latent, channels, 1)
        self.post = nn.Conv2d(channels, latent, 3, padding=1)

    def forward(self, features: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        """Features (B, C, h, w), mean and std (B, latent) -> deviation (B, latent, h, w)."""
        scene = torch.cat([mean, std], dim=1)[:, :, None, None]
        scene = scene.expand(-1, -1, *features.shape[-2:])
        return self.post(self.mix(torch.cat([features, scene], dim=1)))


class MetricHead(nn.Module):
    """Scale and offset of the depth of an image: sigmoid(m0) * (depth + exp(m1)).

    WorDepth (docs/reference/wordepth.md, "WorDepth"): maximum over the coarsest map, then
    two linear layers.

    Args:
        channels: channels of the coarsest map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(channels, channels // 4), nn.LeakyReLU(), nn.Linear(channels // 4, 2)
        )

    def forward(self, depth: Tensor, coarsest: Tensor) -> Tensor:
        """Depth (B, 1, H, W) > 0 and the map (B, C, h, w) -> depth (B, 1, H, W)."""
        scale, offset = self.layers(coarsest.amax((-2, -1))).to(depth)[..., None, None].unbind(1)
        return scale.sigmoid()[:, None] * (depth + offset.exp()[:, None])
