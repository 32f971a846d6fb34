"""Probability of an object's centre from a heat map that was trained with a focal loss."""

from __future__ import annotations

import torch
from torch import Tensor


def centre_probability(heat: Tensor) -> Tensor:
    """Probability of a centre in a cell whose heat minimises the expected Gaussian focal loss.

    In cells that have a centre with probability r, and no other centre nearby, the expected loss of
    heat p (CornerNet, arXiv 1808.01244, equation 1, alpha = 2) is

        -r (1 - p)^2 log p - (1 - r) p^2 log(1 - p).

    Its minimum is at r = f(p) / (f(p) + f(1 - p)) with f(p) = p^2 (p - 2 (1 - p) log(1 - p)), for
    small values near p = (r / 3)^(1/3). So the heat is no probability: where nothing is known, and
    one cell in 400 has a centre, it is 0.1. The order of cells is unchanged.

    Args:
        heat: any shape, in [0, 1].

    Returns:
        The probability, of that shape.
    """
    return _half(heat) / (_half(heat) + _half(1 - heat))


def _half(p: Tensor) -> Tensor:
    other = 1 - p
    # the limit of x log x is 0; not xlogy, which ONNX does not have
    logarithm = other.clamp(min=torch.finfo(p.dtype).tiny).log()
    return p**2 * (p - 2 * other * logarithm)
