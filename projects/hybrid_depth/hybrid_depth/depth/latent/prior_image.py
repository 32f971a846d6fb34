"""Embodied depth as the input of an image encoder."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def embodied_image(depth: Tensor, min_depth: float = 1.0, max_depth: float = 80.0) -> Tensor:
    """Embodied depth as an image of three channels, for any `DepthEncoder` (without `mean`, `std`).

    Channels: log depth between 0 at `min_depth` and 1 at `max_depth`; inverse depth,
    `min_depth` / depth; validity. All are 0 where the prior is invalid, so an invalid pixel is not
    a near one: its validity tells. Both forms, as log depth is resolved far away and inverse depth
    near by; the representation in Vision-Language Embodiment is not published.

    Args:
        depth: (B, 1, H, W) metres, 0 = invalid.
        min_depth, max_depth: range, metres; depth outside is clamped.

    Returns:
        (B, 3, H, W) in [0, 1].

    Raises:
        ValueError: another shape.
    """
    if depth.ndim != 4 or depth.shape[1] != 1:
        raise ValueError(f'embodied depth: expected (B, 1, H, W), got {tuple(depth.shape)}')
    valid = depth > 0
    clamped = depth.clamp(min_depth, max_depth)
    log_depth = (clamped / min_depth).log() / math.log(max_depth / min_depth)
    channels = torch.cat([log_depth, min_depth / clamped, torch.ones_like(depth)], dim=1)
    return channels * valid
