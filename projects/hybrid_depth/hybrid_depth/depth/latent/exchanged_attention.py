"""Cross-attention of two streams with exchanged queries."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ExchangedAttention(nn.Module):
    """Cross-attention of image and prior maps, each stream queried by the other.

    Vision-Language Embodiment (arXiv 2503.16535; docs/reference/wordepth.md,
    "Vision-Language Embodiment"): F_d = softmax(Q_r K_d^T / sqrt(d)) V_d and
    F_r = softmax(Q_d K_r^T / sqrt(d)) V_r, concatenated; r is the image, d the prior. One head, and
    queries, keys and values by 1x1 convolutions, as the formulas are written. What follows the
    concatenation is not published; ours is a 1x1 convolution added to the image map.

    Args:
        channels: channels of the image map.
        prior_channels: channels of the prior's map.
        width: d, channels of queries, keys and values.
    """

    def __init__(self, channels: int, prior_channels: int, width: int = 128) -> None:
        super().__init__()
        self.image = nn.Conv2d(channels, 3 * width, 1)
        self.prior = nn.Conv2d(prior_channels, 3 * width, 1)
        self.out = nn.Conv2d(2 * width, channels, 1)

    def forward(self, image: Tensor, prior: Tensor) -> Tensor:
        """Maps (B, channels, h, w) and (B, prior_channels, h', w') -> (B, channels, h, w).

        F_d has one vector per image cell, F_r one per prior cell; so the grids must be equal.

        Raises:
            ValueError: the grids differ.
        """
        if image.shape[-2:] != prior.shape[-2:]:
            raise ValueError(
                f'ExchangedAttention: expected maps of one grid, got {tuple(image.shape[-2:])} and '
                f'{tuple(prior.shape[-2:])}'
            )
        query_r, key_r, value_r = _tokens(self.image(image))
        query_d, key_d, value_d = _tokens(self.prior(prior))
        from_prior = F.scaled_dot_product_attention(query_r, key_d, value_d)
        from_image = F.scaled_dot_product_attention(query_d, key_r, value_r)
        joined = torch.cat([from_prior, from_image], dim=-1).transpose(1, 2)
        return image + self.out(joined.unflatten(-1, image.shape[-2:]))


def _tokens(x: Tensor) -> tuple[Tensor, ...]:
    """(B, 3 * d, h, w) -> queries, keys and values, each (B, h * w, d)."""
    return x.flatten(2).transpose(1, 2).contiguous().chunk(3, dim=-1)
