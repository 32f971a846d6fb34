"""Losses of frame interpolation: Charbonnier distance and soft census distances."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Constants of docs/reference/mono_vifi.md, "Frame interpolation".
_CHARBONNIER = 1e-6
_CENSUS, _HAMMING = 0.81, 0.1


def charbonnier(prediction: Tensor, target: Tensor) -> Tensor:
    """Charbonnier distance, the mean of sqrt(d^2 + 1e-6), of tensors of one shape.

    Example:
        >>> round(charbonnier(torch.zeros(2), torch.tensor([0.0, 3.0])).item(), 4)
        1.5005
    """
    return ((prediction - target).square() + _CHARBONNIER).sqrt().mean()


def census_distance(prediction: Tensor, target: Tensor, patch: int) -> Tensor:
    """Soft Hamming distance of the census transforms of every channel.

    The census of a pixel are the differences d of its neighbours to it, as d / sqrt(0.81 + d^2);
    the distance of two, e^2 / (0.1 + e^2), is averaged over neighbours, channels and pixels; that
    of the pixels whose neighbours are not all inside the map counts as 0. Sources: UnFlow, arXiv
    1711.07837, section 3.2; IFRNet, arXiv 2205.14620, section 3.3.

    Args:
        prediction, target: (B, C, H, W).
        patch: odd number of rows and columns that are compared.

    Example:
        >>> flat, edge = torch.zeros(1, 1, 3, 3), torch.zeros(1, 1, 3, 3)
        >>> edge[..., 2] = 1
        >>> census_distance(flat, flat + 5, patch=3).item()
        0.0
        >>> round(census_distance(flat, edge, patch=3).item(), 4)
        0.0314
    """
    margin = patch // 2
    difference = _census(prediction, patch) - _census(target, patch)
    distance = (difference.square() / (_HAMMING + difference.square())).mean(1, keepdim=True)
    inside = F.pad(torch.ones_like(distance[..., margin:-margin, margin:-margin]), (margin,) * 4)
    return (distance * inside).mean()


def _census(maps: Tensor, patch: int) -> Tensor:
    """(B, C, H, W) -> (B * C, patch^2, H, W)."""
    maps = maps.flatten(0, 1).unsqueeze(1)
    neighbours = F.unfold(maps, patch, padding=patch // 2).unflatten(-1, maps.shape[-2:])
    difference = neighbours - maps
    return difference / (_CENSUS + difference.square()).sqrt()
