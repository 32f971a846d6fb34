"""Plane sweep in operators that ONNX has."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry.cost_volume import BORDER, CostVolume
from ..geometry.projection import project, scale_intrinsics

PLANES_AT_ONCE = 8  # bounds the memory


def plane_sweep(
    target: Tensor,
    others: Sequence[Tensor],
    poses: Sequence[Tensor],
    present: Sequence[Tensor],
    cameras: tuple[Tensor, Tensor],
    image_size: tuple[int, int],
    planes: Tensor,
) -> CostVolume:
    """``geometry.cost_volume.plane_sweep`` of all lookup views, for the exporter.

    Args:
        target: (B, C, h, w) features.
        others: (B, C, h, w) features by view.
        poses: (B, 4, 4) target camera's frame to each view's.
        present: (B,) bool by view; False for one to leave out.
        cameras: (B, 3, 3) intrinsics, pixels of the image, and their inverse.
        image_size: (H, W) of the image.
        planes: (D,) depths in the unit of the poses.
    """
    size = tuple(int(side) for side in target.shape[-2:])
    y, x = size[0] / image_size[0], size[1] / image_size[1]
    cam2img = scale_intrinsics(cameras[0], x, y)
    img2cam = cameras[1] * torch.tensor([1 / x, 1 / y, 1])
    rays = img2cam @ _homogeneous_pixels(size)  # (B, 3, h * w)
    rows = target.permute(0, 2, 3, 1).unsqueeze(1)
    tables = [_cell_tables(other) for other in others]
    first = torch.arange(target.shape[0]).view(-1, 1, 1, 1) * (size[0] * size[1])
    last = torch.tensor([size[1] - 1.0, size[0] - 1.0])
    totals, counts = [], []
    for some in planes.float().split(PLANES_AT_ONCE):
        total, count = 0, 0
        for table, pose, shown in zip(tables, poses, present, strict=True):
            points = rays.unsqueeze(1) * some.view(-1, 1, 1)  # (B, D, 3, h * w)
            grid = project(points, cam2img.unsqueeze(1), pose.unsqueeze(1), size)
            pixels = (grid + 1) / 2 * last
            costs = (_sample(table, first, pixels, size) - rows).abs().mean(-1)
            costs = costs * _inside(pixels, size) * shown.view(-1, 1, 1, 1)
            total, count = total + costs, count + (costs > 0).float()
        totals.append(total)
        counts.append(count)
    costs = torch.cat(totals, 1) / (torch.cat(counts, 1) + 1e-7)
    missing = costs == 0
    return CostVolume(torch.where(missing, costs.amax(1, keepdim=True), costs), missing, planes)


def _cell_tables(features: Tensor) -> list[Tensor]:
    """Coefficients (B * h * w, C) of the interpolation f + x f_x + y (f_y + x f_xy) between a pixel
    and its neighbours to the right and below."""
    padded = F.pad(features, (0, 1, 0, 1))
    right = padded[..., :-1, 1:] - features
    below = padded[..., 1:, :-1] - features
    both = padded[..., 1:, 1:] - padded[..., 1:, :-1] - right
    return [each.permute(0, 2, 3, 1).flatten(0, 2) for each in (features, right, below, both)]


def _sample(
    tables: Sequence[Tensor], first: Tensor, pixels: Tensor, size: tuple[int, int]
) -> Tensor:
    """Bilinear sampling at (B, D, h, w, 2) -> (B, D, h, w, C), border values outside.

    Rows of tables take a quarter of the time of onnxruntime's ``GridSample``, which goes through
    the channels one by one. ``first`` (B, 1, 1, 1) is the row of an item's first pixel.
    """
    last = torch.tensor([size[1] - 1.0, size[0] - 1.0])
    pixels = torch.minimum(pixels.nan_to_num(0).clamp_min(0), last)
    corner = torch.minimum(pixels.floor(), last - 1)
    (x, y), (u, v) = (pixels - corner).split(1, -1), corner.long().unbind(-1)
    index = first + v * size[1] + u
    value, right, below, both = (F.embedding(index, table) for table in tables)
    return value + x * right + y * (below + x * both)


def _inside(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Sampling positions (B, D, h, w, 2) -> (B, D, h, w) 0 or 1: away from the border of both
    views."""
    limit = torch.tensor([float(size[1] - BORDER), float(size[0] - BORDER)])
    inner = torch.zeros(size)
    inner[BORDER:-BORDER, BORDER:-BORDER] = 1
    return ((pixels >= BORDER) & (pixels <= limit)).all(-1) * inner


def _homogeneous_pixels(size: tuple[int, int]) -> Tensor:
    """(3, h * w) of (u, v, 1), row by row."""
    v, u = torch.meshgrid(*(torch.arange(side).float() for side in size), indexing='ij')
    return torch.stack((u, v, torch.ones_like(u))).flatten(1)
