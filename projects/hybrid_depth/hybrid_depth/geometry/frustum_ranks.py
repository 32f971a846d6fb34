"""Voxel ranks of all frustum points, without their lift in float64."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from .camera_rig import CameraRig
from .frustum import LiftMatrices, lift_frustum
from .voxel_grid import VoxelGrid


def frustum_ranks(frustum: Tensor, rig: CameraRig, grid: VoxelGrid) -> Tensor:
    """Voxel rank of every frustum point: ``grid.ranks(lift_frustum(frustum, rig))``, bit for bit.

    On the CPU in a fraction of the time: a point is ``ray * depth + camera centre`` in voxels,
    which float32 gives with a known error bound; the few points within that bound of a voxel border
    are lifted again in the rig's dtype. On CUDA, where the host would wait for the list of them,
    all points are lifted.

    Args:
        frustum: (D, h, w, 3) of ``create_frustum``: the same pixels at every depth, and the same
            depth at all pixels.
        rig: cameras, B x N.
        grid: the voxel grid.

    Returns:
        (B, N, D, h, w) int32, or int64 from 2**31 voxels, -1 outside.

    Raises:
        ValueError: an image augmentation or an intrinsic matrix is singular (CPU only).

    Example:
        >>> k = torch.tensor([[[[100.0, 0, 32], [0, 100, 24], [0, 0, 1]]]])
        >>> front = [[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]]
        >>> unit = torch.eye(4)[None]
        >>> rig = CameraRig(k, torch.tensor([[front]]), unit[None, :, :3, :3], unit, unit)
        >>> frustum = torch.tensor([[[[32.0, 39.0, 10.0]]], [[[32.0, 39.0, 30.0]]]])
        >>> grid = VoxelGrid(x=(0.0, 20.0, 1.0), y=(-2.0, 2.0, 1.0), z=(-5.0, 3.0, 8.0))
        >>> frustum_ranks(frustum, rig, grid).flatten().tolist()
        [50, -1]
    """
    frustum = frustum.to(rig.cam2img.device)
    if frustum.is_cuda:
        return grid.ranks(lift_frustum(frustum, rig)).to(rank_dtype(grid, rig.batch_size))
    cameras = LiftMatrices.of(rig)
    ranks, near = _float32_ranks(frustum, cameras, grid)
    b, n, row, column, bin_ = near.nonzero(as_tuple=True)
    u, v, depth = frustum[bin_, row, column].to(rig.cam2img).unbind(-1)
    points = torch.stack(cameras.map(lambda x: x[b, n]).lift(u, v, depth), -1)
    exact = grid.ranks(points[None])[0]
    exact = torch.where(exact < 0, exact, exact + b * grid.num_voxels)
    ranks[b, n, row, column, bin_] = exact.to(ranks.dtype)
    return ranks.permute(0, 1, 4, 2, 3)


def rank_dtype(grid: VoxelGrid, batch_size: int) -> torch.dtype:
    """The smallest of int32 and int64 that holds the ranks of so many samples."""
    return torch.int32 if batch_size * grid.num_voxels < 2**31 else torch.int64


def _float32_ranks(
    frustum: Tensor, cameras: LiftMatrices, grid: VoxelGrid
) -> tuple[Tensor, Tensor]:
    """Ranks in float32 and which of them may be wrong, both (B, N, h, w, D)."""
    pixels, depths = frustum[0, ..., :2], frustum[:, 0, 0, 2].float()
    ray, centre = _voxel_rays(pixels, cameras, grid)
    bound = _error_bound(frustum, cameras, grid)
    samples = torch.arange(len(ray), dtype=rank_dtype(grid, len(ray)))
    ranks: Tensor = samples.view(-1, 1, 1, 1, 1)
    distance, outside = torch.tensor(torch.inf), torch.tensor(0.0)
    discretise = torch.floor if grid.rounding == 'floor' else torch.trunc
    for axis, size in reversed(list(enumerate(grid.size))):  # z, y, x
        scaled = (ray[..., axis, None] * depths).add_(centre[..., axis, None])
        cell = discretise(scaled)
        scaled.sub_(scaled.round()).abs_()  # distance to the nearest border, exact
        distance = torch.minimum(distance, scaled)
        inside = cell.clamp(0, size - 1)
        outside = torch.maximum(outside, cell.sub_(inside).abs_())
        ranks = inside.to(samples.dtype).add_(ranks, alpha=size)
    return ranks.masked_fill_(outside > 0, -1), ~(distance > bound)  # NaN is near


def _voxel_rays(pixels: Tensor, cameras: LiftMatrices, grid: VoxelGrid) -> tuple[Tensor, Tensor]:
    """Ray (B, N, h, w, 3) and camera centre (B, N, 1, 1, 3) in voxels, float32 from float64."""
    lower, step = _lower_and_step(cameras, grid)
    cameras = cameras.map(lambda x: x.double()[:, :, None, None])
    linear = cameras.bda @ cameras.camera2ego / step[:, None]
    uv = (cameras.pixel2image @ (pixels - cameras.origin).unsqueeze(-1)).squeeze(-1)
    uv1 = torch.nn.functional.pad(uv, (0, 1), value=1.0)
    ray = (linear @ uv1.unsqueeze(-1)).squeeze(-1)
    centre = ((cameras.bda @ cameras.shift.unsqueeze(-1)).squeeze(-1) - lower) / step
    return ray.float(), centre.float()


def _error_bound(frustum: Tensor, cameras: LiftMatrices, grid: VoxelGrid) -> float:
    """Largest difference, in voxels, of ``_voxel_rays`` at a depth from the lift in its dtype.

    n roundings change a sum of products by at most ``n u / (1 - n u)`` times the sum of the
    absolute values (Higham, Accuracy and Stability of Numerical Algorithms, lemma 3.1). No term of
    the lift and of its division into voxels has more than 13 roundings, none of the rays in float64
    more, and four are in float32.
    """
    lower, step = _lower_and_step(cameras, grid)
    pixels, depths = frustum[0, ..., :2], frustum[:, 0, 0, 2]
    largest = (*pixels.abs().flatten(0, 1).amax(0).double(), depths.abs().max().double())
    absolute = cameras.map(lambda x: x.double().abs())
    centred = replace(absolute, origin=-absolute.origin)  # |pixel| + |origin|
    terms = torch.stack(centred.lift(*(x.expand(cameras.shift.shape[:2]) for x in largest)), -1)
    magnitude = ((terms + lower.abs()) / step).max()
    lift, ray = torch.finfo(cameras.shift.dtype).eps, torch.finfo(torch.float32).eps
    # eps is twice u: the other half covers the denominator and the rounding of this line
    return float(magnitude * (13 * lift + 4 * ray))


def _lower_and_step(cameras: LiftMatrices, grid: VoxelGrid) -> tuple[Tensor, Tensor]:
    """As ``VoxelGrid.ranks`` rounds them, in float64."""
    values = cameras.shift.new_tensor([grid.x, grid.y, grid.z]).double()
    return values[:, 0], values[:, 2]
