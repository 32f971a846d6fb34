"""Optical flow: warping by it and resizing of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .projection import sample


def warp_by_flow(source: Tensor, flow: Tensor) -> Tensor:
    """Backward warping: the value of a pixel is that of the source where its flow ends.

    Args:
        source: (B, C, H, W).
        flow: (B, 2, H, W) x and y in pixels of these maps. Ends outside the map take its border.

    Returns:
        (B, C, H, W).

    Example:
        >>> source = torch.tensor([[[[1.0, 2.0, 3.0]]]])
        >>> flow = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 1, 3)
        >>> warp_by_flow(source, flow).flatten().tolist()
        [2.0, 3.0, 3.0]
    """
    rows, columns = flow.shape[-2:]
    # a map of one row or column has the coordinate 0 only
    axes = [
        torch.linspace(-1, 1, size, dtype=flow.dtype, device=flow.device)
        if size > 1
        else flow.new_zeros(1)
        for size in (columns, rows)
    ]
    x, y = torch.meshgrid(*axes, indexing='xy')
    half = flow.new_tensor([max(columns - 1, 1) / 2, max(rows - 1, 1) / 2])
    grid = torch.stack([x, y], -1) + flow.permute(0, 2, 3, 1) / half
    return sample(source, grid.to(source.dtype))


def resize_flow(flow: Tensor, size: Sequence[int]) -> Tensor:
    """Flow (B, 2, H, W) in pixels -> (B, 2, *size) in pixels of that size, bilinear.

    Example:
        >>> resize_flow(torch.full((1, 2, 4, 4), 8.0), (2, 1)).flatten().tolist()
        [2.0, 2.0, 4.0, 4.0]
    """
    rows, columns = flow.shape[-2:]
    if (rows, columns) == tuple(size):
        return flow
    factor = flow.new_tensor([size[1] / columns, size[0] / rows]).view(2, 1, 1)
    return F.interpolate(flow, tuple(size), mode='bilinear', align_corners=False) * factor
