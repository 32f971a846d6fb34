"""The algorithm of BEVPoolv2 (arXiv 2211.17111, section 2), written anew in Triton for comparison.

Forward a thread per interval and channel; backward a thread per interval of the points of a pixel.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from hybrid_depth.ops.sparse_pool import SparsePattern

THREADS = 256


@triton.jit
def _forward(depth, pixels, depth_of, pixel_of, starts, voxels, num, C, THREADS: tl.constexpr):
    thread = tl.program_id(0) * THREADS + tl.arange(0, THREADS)
    inside = thread < num * C
    interval, channel = thread // C, thread % C
    start = tl.load(starts + interval, mask=inside, other=0)
    count = tl.load(starts + interval + 1, mask=inside, other=0) - start
    total = tl.zeros((THREADS,), tl.float32)
    for i in range(0, tl.max(count, 0)):
        mask = i < count
        weight = tl.load(depth + tl.load(depth_of + start + i, mask=mask, other=0), mask=mask)
        row = tl.load(pixel_of + start + i, mask=mask, other=0)
        feature = tl.load(pixels + row * C + channel, mask=mask)
        total += tl.where(mask, weight.to(tl.float32) * feature.to(tl.float32), 0.0)
    tl.store(voxels + thread, total, mask=inside)


@triton.jit
def _backward(
    grad,
    depth,
    pixels,
    depth_of,
    voxel_of,
    starts,
    grad_depth,
    grad_pixels,
    num,
    C,
    THREADS: tl.constexpr,
):
    interval = tl.program_id(0) * THREADS + tl.arange(0, THREADS)
    inside = interval < num
    start = tl.load(starts + interval, mask=inside, other=0)
    count = tl.load(starts + interval + 1, mask=inside, other=0) - start
    longest = tl.max(count, 0)
    for i in range(0, longest):
        mask = i < count
        voxel = tl.load(voxel_of + start + i, mask=mask, other=0)
        total = tl.zeros((THREADS,), tl.float32)
        for channel in range(0, C):
            upstream = tl.load(grad + voxel * C + channel, mask=mask, other=0.0)
            feature = tl.load(pixels + interval * C + channel, mask=mask, other=0.0)
            total += upstream * feature.to(tl.float32)
        point = tl.load(depth_of + start + i, mask=mask, other=0)
        tl.store(grad_depth + point, total, mask=mask)
    for channel in range(0, C):
        total = tl.zeros((THREADS,), tl.float32)
        for i in range(0, longest):
            mask = i < count
            voxel = tl.load(voxel_of + start + i, mask=mask, other=0)
            point = tl.load(depth_of + start + i, mask=mask, other=0)
            weight = tl.load(depth + point, mask=mask, other=0.0)
            upstream = tl.load(grad + voxel * C + channel, mask=mask, other=0.0)
            total += weight.to(tl.float32) * upstream
        tl.store(grad_pixels + interval * C + channel, total, mask=inside)


class IntervalPool(torch.autograd.Function):
    """Pooling of (B, N, D, h, w) depth and (P, C) pixels into (V, C) float32 voxels."""

    @staticmethod
    def forward(ctx, depth: Tensor, pixels: Tensor, pattern: SparsePattern) -> Tensor:
        ctx.save_for_backward(depth, pixels)
        ctx.pattern = pattern
        num, channels = pattern.shape[0], pixels.shape[1]
        voxels = pixels.new_empty(num, channels, dtype=torch.float32)
        _forward[(triton.cdiv(num * channels, THREADS),)](
            depth,
            pixels,
            pattern.depth_of,
            pattern.pixel_of,
            pattern.voxel_starts,
            voxels,
            num,
            channels,
            THREADS,
        )
        return voxels

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        (depth, pixels), pattern = ctx.saved_tensors, ctx.pattern
        grad_depth, grad_pixels = torch.zeros_like(depth), torch.empty_like(pixels)
        num, channels = pixels.shape
        _backward[(triton.cdiv(num, THREADS),)](
            grad.contiguous(),
            depth,
            pixels,
            pattern.depth_by_pixel,
            pattern.voxel_of,
            pattern.pixel_starts,
            grad_depth,
            grad_pixels,
            num,
            channels,
            THREADS,
        )
        return grad_depth, grad_pixels, None
