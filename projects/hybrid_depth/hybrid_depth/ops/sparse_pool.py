"""BEV pooling as a sparse matrix product: voxels = A(depth) @ pixels, A (voxels x pixels) in CSR.

The backward pass is sparse too: d_pixels = A^T @ g, and d_depth is the dense product g @ pixels^T
sampled at A's pattern. No tensor of size (points x C) is built.
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
        to_pixel_order: (K,) position, in voxel order, of each point in pixel order.
    """

    voxel_starts: Tensor
    pixel_of: Tensor
    depth_of: Tensor
    pixel_starts: Tensor
    voxel_of: Tensor
    to_pixel_order: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """(voxels, pixels)."""
        return len(self.voxel_starts) - 1, len(self.pixel_starts) - 1

    @classmethod
    def build(cls, ranks: Tensor, num_voxels: int) -> SparsePattern:
        """Pattern of voxel ranks (B, N, D, h, w), int64, -1 outside."""
        b, n, d, h, w = ranks.shape
        by_pixel = ranks.permute(0, 1, 3, 4, 2).reshape(-1)  # (b, n, h, w, d): sorted by pixel
        kept = (by_pixel >= 0).nonzero().squeeze(1)
        voxel = by_pixel[kept]
        pixel = torch.div(kept, d, rounding_mode='floor')
        plane = h * w
        view = torch.div(pixel, plane, rounding_mode='floor')
        depth = (view * d + kept % d) * plane + pixel % plane
        order = voxel.argsort(stable=True)
        to_pixel_order = torch.empty_like(order)
        to_pixel_order[order] = torch.arange(len(order), device=order.device)
        # MKL and cuSPARSE use 32-bit CSR indices without a copy; larger problems need 64 bits.
        small = max(num_voxels, b * n * plane, len(kept)) < 2**31
        index = torch.int32 if small else torch.int64
        return cls(
            voxel_starts=_row_pointers(voxel, num_voxels).to(index),
            pixel_of=pixel[order].to(index),
            depth_of=depth[order],
            pixel_starts=_row_pointers(pixel, b * n * plane).to(index),
            voxel_of=voxel.to(index),
            to_pixel_order=to_pixel_order,
        )

    def voxel_matrix(self, values: Tensor) -> Tensor:
        """A with the given values in voxel order."""
        return _csr(self.voxel_starts, self.pixel_of, values, self.shape)

    def pixel_matrix(self, values: Tensor) -> Tensor:
        """A^T with the given values in voxel order."""
        return _csr(self.pixel_starts, self.voxel_of, values[self.to_pixel_order], self.shape[::-1])


def sparse_pool(depth: Tensor, pixels: Tensor, pattern: SparsePattern) -> Tensor:
    """Pool (B, N, D, h, w) depth and (P, C) pixel features into (V, C) voxels."""
    return _SparsePool.apply(depth, pixels, pattern)


class _SparsePool(torch.autograd.Function):
    @staticmethod
    def forward(ctx, depth: Tensor, pixels: Tensor, pattern: SparsePattern) -> Tensor:
        values = depth.reshape(-1)[pattern.depth_of]
        ctx.pattern, ctx.depth_shape = pattern, depth.shape
        ctx.save_for_backward(values, pixels)
        return pattern.voxel_matrix(values) @ pixels

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        values, pixels = ctx.saved_tensors
        pattern = ctx.pattern
        grad = grad.contiguous()
        grad_depth = grad_pixels = None
        if ctx.needs_input_grad[0]:
            empty = pattern.voxel_matrix(torch.zeros_like(values))
            sampled = torch.sparse.sampled_addmm(empty, grad, pixels.t(), beta=0).values()
            flat = grad.new_zeros(ctx.depth_shape.numel())
            grad_depth = flat.index_copy(0, pattern.depth_of, sampled).view(ctx.depth_shape)
        if ctx.needs_input_grad[1]:
            grad_pixels = pattern.pixel_matrix(values) @ grad
        return grad_depth, grad_pixels, None


def _row_pointers(rows: Tensor, num_rows: int) -> Tensor:
    counts = torch.bincount(rows, minlength=num_rows)
    return torch.nn.functional.pad(counts.cumsum(0), (1, 0))


def _csr(starts: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    return torch.sparse_csr_tensor(starts, columns, values, size=shape, check_invariants=False)
