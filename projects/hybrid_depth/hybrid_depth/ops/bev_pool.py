"""Pooling of depth-weighted image features into a BEV grid (BEVPoolv2, arXiv 2211.17111).

Semantics of the official code: docs/reference/bevdet.md, "Voxel pooling".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..geometry import CameraRig, VoxelGrid, frustum_ranks
from .index_add_pool import index_add_pool
from .onnx_pool import onnx_pool
from .sparse_pool import SparsePattern, sparse_pool
from .triton_check import triton_works

if TYPE_CHECKING:  # needs Triton
    from .triton_pool import PointTables

BACKENDS = ('auto', 'triton', 'sparse', 'index_add')


@dataclass(frozen=True)
class PoolingPlan:
    """Voxel index of every frustum point; depends on geometry only, so it can be cached.

    Args:
        ranks: (B, N, D, h, w) int32 or int64 voxel of each point, -1 outside (``VoxelGrid.ranks``).
        grid: the voxel grid.
    """

    ranks: Tensor
    grid: VoxelGrid

    @classmethod
    def from_frustum(cls, frustum: Tensor, rig: CameraRig, grid: VoxelGrid) -> PoolingPlan:
        """Plan for the frustum (D, h, w, 3) of every camera (``frustum_ranks``)."""
        return cls(frustum_ranks(frustum, rig, grid), grid)

    @classmethod
    def from_points(cls, points: Tensor, grid: VoxelGrid) -> PoolingPlan:
        """Plan for lifted points (B, N, D, h, w, 3) in the ego frame, metres."""
        return cls(grid.ranks(points), grid)

    @property
    def num_voxels(self) -> int:
        return self.ranks.shape[0] * self.grid.num_voxels

    def sparse_pattern(self) -> SparsePattern:
        """The voxel x pixel sparsity pattern, built on first use."""
        if not hasattr(self, '_pattern'):
            object.__setattr__(self, '_pattern', SparsePattern.build(self.ranks, self.num_voxels))
        return self._pattern

    def point_tables(self) -> PointTables:
        """The tables of the Triton kernels, built on first use."""
        if not hasattr(self, '_tables'):
            from .triton_pool import PointTables

            object.__setattr__(self, '_tables', PointTables.build(self.ranks, self.num_voxels))
        return self._tables


def bev_pool(
    depth: Tensor,
    feat: Tensor,
    plan: PoolingPlan,
    backend: str = 'auto',
    softmax: bool = False,
) -> Tensor:
    """Sum ``depth * feat`` over the frustum points of every voxel; no (points x C) tensor is built.

    Args:
        depth: (B, N, D, h, w) depth distribution, or its logits with ``softmax``.
        feat: (B, N, C, h, w) context features.
        plan: geometry of the same B, N, D, h, w.
        backend: ``triton`` (kernels for CUDA), ``sparse`` (matrix product, CPU and CUDA),
            ``index_add`` (the slow reference); ``auto`` is ``triton`` on CUDA where it passes a
            check against the reference once a process, else ``sparse``. In an export to ONNX all
            become its standard operators (``onnx_pool``).
        softmax: whether to apply the softmax over the bins. ``triton`` does so without writing the
            distribution to memory.

    Returns:
        (B, Z * C, Y, X) float32, channel ``z * C + c``.

    Raises:
        ValueError: shapes do not match the plan, or unknown back-end.

    Example:
        >>> ranks = torch.tensor([0, 0, 1, -1]).view(1, 1, 2, 1, 2)  # of 2 bins at 2 pixels
        >>> grid = VoxelGrid(x=(0.0, 2.0, 1.0), y=(0.0, 1.0, 1.0), z=(0.0, 1.0, 1.0))
        >>> depth = torch.tensor([0.5, 0.25, 0.5, 0.75]).view(1, 1, 2, 1, 2)
        >>> feat = torch.tensor([1.0, 2.0]).view(1, 1, 1, 1, 2)
        >>> bev_pool(depth, feat, PoolingPlan(ranks, grid)).tolist()
        [[[[1.0, 0.5]]]]
    """
    _check(depth, feat, plan, backend)
    if torch.onnx.is_in_onnx_export():
        backend = 'onnx'
    elif backend == 'auto':
        backend = 'triton' if depth.is_cuda and triton_works(depth.device) else 'sparse'
    with torch.autocast(depth.device.type, enabled=False):
        pixels = feat.permute(0, 1, 3, 4, 2).flatten(0, 3)  # one row per image pixel
        if backend == 'triton':
            from .triton_pool import triton_pool

            voxels = triton_pool(depth, pixels, plan.point_tables(), softmax)
        else:
            depth, pixels = depth.float(), pixels.float()
            depth = depth.softmax(2) if softmax else depth
            if backend == 'onnx':
                voxels = onnx_pool(depth, pixels, plan.ranks, plan.num_voxels)
            elif backend == 'sparse':
                voxels = sparse_pool(depth, pixels, plan.sparse_pattern())
            else:
                voxels = index_add_pool(depth, pixels, plan.ranks, plan.num_voxels)
    channels, (nx, ny, nz) = feat.shape[2], plan.grid.size
    # the batch of the plan: an input in ONNX graphs, so that its size stays free
    volume = voxels.view(plan.ranks.shape[0], nz, ny, nx, channels).permute(0, 1, 4, 2, 3)
    return volume.flatten(1, 2)


def _check(depth: Tensor, feat: Tensor, plan: PoolingPlan, backend: str) -> None:
    if tuple(depth.shape) != tuple(plan.ranks.shape):
        raise ValueError(
            f"bev_pool: expected depth of the plan's shape {tuple(plan.ranks.shape)}, got "
            f'{tuple(depth.shape)}'
        )
    b, n, _, h, w = depth.shape
    if (*feat.shape[:2], *feat.shape[3:]) != (b, n, h, w):
        raise ValueError(
            f'bev_pool: expected feat (B={b}, N={n}, C, h={h}, w={w}), got {tuple(feat.shape)}'
        )
    if backend not in BACKENDS:
        raise ValueError(f'bev_pool: backend must be one of {BACKENDS}, got {backend!r}')
