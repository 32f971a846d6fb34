"""Distance of metric depths in their logarithm."""

from __future__ import annotations

import torch
from torch import Tensor


def log_depth_error(depth: Tensor, target: Tensor) -> Tensor:
    """Mean |log depth - log target| over the pixels that have a target; 0 if none has.

    The relative error to first order; being linear in it, single wrong targets, such as those of
    embodied depth at the edges of objects, weigh less than in a squared error.

    Args:
        depth: (B, 1, H, W) > 0, metres.
        target: the same shape, metres, 0 = none.

    Returns:
        Scalar.

    Raises:
        ValueError: shapes differ.

    Example:
        >>> target = torch.tensor([[[[10.0, 20.0, 0.0]]]])
        >>> round(log_depth_error(target * 1.1 + 1e-3, target).item(), 3)
        0.095
    """
    if depth.shape != target.shape:
        raise ValueError(
            f'log_depth_error: expected depths of one shape, got {tuple(depth.shape)} and '
            f'{tuple(target.shape)}'
        )
    known = target > 0
    # where there is no target it is the prediction, so that the logarithm is finite
    error = (depth.log() - torch.where(known, target, depth.detach()).log()).abs()
    return error.sum() / known.sum().clamp(min=1)
