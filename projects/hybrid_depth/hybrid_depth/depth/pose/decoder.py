"""Pose decoder of Monodepth2."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

# Initial motions are small, so the first warped images overlap the target.
OUTPUT_SCALE = 0.01


class PoseDecoder(nn.Module):
    """Pose decoder: motions from the last feature maps (Monodepth2, arXiv 1806.01260).

    Source: docs/reference/monodepth2.md, "Pose networks".

    Args:
        in_channels: channels of each map.
        num_inputs: number of maps: 1 if images were stacked before the encoder, else 2.
        num_motions: number of predicted motions. Official weights predict 2 and use the first.
    """

    def __init__(self, in_channels: int, num_inputs: int = 1, num_motions: int = 2) -> None:
        super().__init__()
        self.num_motions = num_motions
        self.net = nn.ModuleList(
            [
                nn.Conv2d(in_channels, 256, 1),
                nn.Conv2d(256 * num_inputs, 256, 3, padding=1),
                nn.Conv2d(256, 256, 3, padding=1),
                nn.Conv2d(256, 6 * num_motions, 1),
            ]
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (B, C, h, w) in time order -> (B, num_motions, 6) axis-angle, then translation."""
        squeeze, *hidden, last = self.net
        x = torch.cat([squeeze(feature).relu() for feature in maps], dim=1)
        for convolution in hidden:
            x = convolution(x).relu()
        return OUTPUT_SCALE * last(x).mean((2, 3)).unflatten(1, (self.num_motions, 6))
