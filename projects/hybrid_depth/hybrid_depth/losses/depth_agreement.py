"""Agreement of two depth maps in shape."""

from __future__ import annotations

import torch
from torch import Tensor

_EPS = 1e-7


def scale_invariant_log(
    depth: Tensor, other: Tensor, valid: Tensor | None = None, weight: float = 0.5
) -> Tensor:
    """Scale-invariant log distance, mean(d^2) - weight * mean(d)^2 of d = log depth - log other.

    Eigen et al., arXiv 1406.2283, Eq. 4; as in Mono-ViFI, docs/reference/mono_vifi.md, "Training
    step".

    Args:
        depth, other: (B, 1, H, W), >= 0, in one unit.
        valid: (B, 1, H, W) bool, pixels that count; None for all. At least one an item.
        weight: 1 ignores a common factor, 0 is the mean squared log distance.

    Returns:
        (B,) distances.

    Example:
        >>> depth = torch.tensor([1.0, 2.0, 4.0]).view(1, 1, 1, 3)
        >>> scale_invariant_log(depth, 3 * depth, weight=1.0).round(decimals=4).item()
        0.0
        >>> round(scale_invariant_log(depth, 3 * depth).item(), 4)  # half of log(3)^2
        0.6035
    """
    difference = ((depth + _EPS).log() - (other + _EPS).log()).flatten(1)
    share = torch.ones_like(difference) if valid is None else valid.flatten(1).to(difference)
    share = share / share.sum(1, keepdim=True)
    mean = (difference * share).sum(1)
    return (difference.square() * share).sum(1) - weight * mean.square()
