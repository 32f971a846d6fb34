"""BEV pooling as a sparse matrix product: voxels = A(depth) @ pixels, A (voxels x pixels) in CSR.

The backward pass is sparse too: d_pixels = A^T @ g, and d_depth is the dense product pixels @ g^T
sampled at A^T's pattern. No tensor of size (points x C) is built.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

warnings.filterwarnings('ignore', message='Sparse CSR tensor support is in beta', module=__name__)


@dataclass(frozen=True)
class SparsePattern:
    """CSR structure of A and of its transpose.

    Args:
        voxel_starts: (V + 1,) row pointers of A.
        pixel_of: (K,) column of each kept point, points sorted by voxel.
        depth_of: (K,) flat index into (B, N, D, h, w), points sorted by voxel.
        pixel_starts: (P + 1,) row pointers of A^T.
        voxel_of: (K,) column of each kept point, points sorted by pixel.
        depth_by_pixel: (K,) as ``depth_of``, points sorted by pixel.
    """

    voxel_starts: Tensor
    pixel_of: Tensor
    depth_of: Tensor
    pixel_starts: Tensor
    voxel_of: Tensor
    depth_by_pixel: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """(voxels, pixels)."""
        return len(self.voxel_starts) - 1, len(self.pixel_starts) - 1

    @classmethod
    def build(cls, ranks: Tensor, num_voxels: int) -> SparsePattern:
        """Pattern of voxel ranks (B, N, D, h, w), int32 or int64, -1 outside."""
        b, n, d, h, w = ranks.shape
        plane, num_pixels = h * w, b * n * h * w
        # rows of A^T
        by_pixel = ranks.permute(0, 1, 3, 4, 2).reshape(num_pixels, d).contiguous()
        # MKL and cuSPARSE use 32-bit CSR indices without a copy, and sorting them takes half the
        # time; larger problems need 64 bits.
        index = torch.int32 if max(num_voxels, ranks.numel()) < 2**31 else torch.int64
        inside = by_pixel >= 0
        kept = inside.view(-1).nonzero().squeeze(1)
        voxel_of = by_pixel.view(-1).index_select(0, kept).to(index)
        counts = inside.sum(1)
        pixels = torch.arange(num_pixels, device=ranks.device)
        # kept is pixel * D + bin; in (B, N, D, h, w) it is (view * D + bin) * plane + cell
        offset = (pixels // plane * d - pixels * d) * plane + pixels % plane
        depth_of = kept.mul_(plane).add_(offset.repeat_interleave(counts))
        order = voxel_of.argsort(stable=True)
        pixel_of = pixels.to(index).repeat_interleave(counts).index_select(0, order)
        return cls(
            voxel_starts=_row_pointers(torch.bincount(voxel_of, minlength=num_voxels), index),
            pixel_of=pixel_of,
            depth_of=depth_of.index_select(0, order).to(index),
            pixel_starts=_row_pointers(counts, index),
            voxel_of=voxel_of,
            depth_by_pixel=depth_of.to(index),
        )

    def voxel_matrix(self, depth: Tensor) -> Tensor:
        """A of the flat depth distribution."""
        values = depth.index_select(0, self.depth_of)
        return _csr(self.voxel_starts, self.pixel_of, values, self.shape)

    def pixel_matrix(self, depth: Tensor) -> Tensor:
        """A^T of the flat depth distribution."""
        values = depth.index_select(0, self.depth_by_pixel)
        return _csr(self.pixel_starts, self.voxel_of, values, self.shape[::-1])


def sparse_pool(depth: Tensor, pixels: Tensor, pattern: SparsePattern) -> Tensor:
    """Pool (B, N, D, h, w) depth and (P, C) pixel features into (V, C) voxels."""
    return _SparsePool.apply(depth, pixels, pattern)


class _SparsePool(torch.autograd.Function):
    @staticmethod
    def forward(ctx, depth: Tensor, pixels: Tensor, pattern: SparsePattern) -> Tensor:
        depth, ctx.depth_shape = depth.reshape(-1), depth.shape
        ctx.pattern = pattern
        ctx.save_for_backward(depth, pixels)
        return pattern.voxel_matrix(depth) @ pixels

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        depth, pixels = ctx.saved_tensors
        grad = grad.contiguous()
        grad_depth = grad_pixels = None
        matrix = ctx.pattern.pixel_matrix(depth)
        if ctx.needs_input_grad[0]:
            sampled = torch.sparse.sampled_addmm(matrix, pixels, grad.t(), beta=0).values()
            # every index occurs once: nothing is added, and the result is deterministic
            flat = torch.zeros_like(depth).index_add_(0, ctx.pattern.depth_by_pixel, sampled)
            grad_depth = flat.view(ctx.depth_shape)
        if ctx.needs_input_grad[1]:
            grad_pixels = matrix @ grad
        return grad_depth, grad_pixels, None


def _row_pointers(counts: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.nn.functional.pad(counts.cumsum(0), (1, 0)).to(dtype)


def _csr(starts: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    return torch.sparse_csr_tensor(starts, columns, values, size=shape, check_invariants=False)
