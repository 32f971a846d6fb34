"""BEV pooling by Triton, as the operator ``torch.ops.hybrid_depth.bev_pool``.

The operator has a shape function and gradients, so that ``torch.compile`` and ``torch.export`` keep
it whole. Imported only where Triton is installed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
import triton
from torch import Tensor

from . import triton_kernels as kernels


@dataclass(frozen=True)
class PointTables:
    """Points sorted by voxel, and voxels divided into parts of a limited number of points.

    Shapes depend only on the numbers of points and voxels: nothing waits for the device.

    Args:
        ranks: (M,) int32 voxel of each point, -1 outside.
        order: (M,) int32 points sorted by voxel, those outside last.
        voxel_starts: (V + 1,) int32 first point of each voxel in ``order``.
        part_starts: (V + 1,) int32 first part of each voxel; an empty one has a part of no points.
        voxel_of_part: (V + M // PART_LENGTH,) int32; V for parts that do not exist.
    """

    ranks: Tensor
    order: Tensor
    voxel_starts: Tensor
    part_starts: Tensor
    voxel_of_part: Tensor

    @classmethod
    def build(cls, ranks: Tensor, num_voxels: int) -> PointTables:
        """Tables of voxel ranks (B, N, D, h, w), -1 outside."""
        if max(num_voxels, ranks.numel()) >= 2**31:
            raise ValueError(
                f'triton: expected fewer than 2**31 points and voxels, got {ranks.numel()} and '
                f"{num_voxels}; use backend='sparse'"
            )
        length, device = kernels.PART_LENGTH, ranks.device
        ranks = ranks.int().flatten()
        keys, order = torch.where(ranks < 0, num_voxels, ranks).sort(stable=True)
        voxels = torch.arange(num_voxels + 1, dtype=torch.int32, device=device)
        voxel_starts = torch.searchsorted(keys, voxels, out_int32=True)
        parts = ((voxel_starts.diff() + (length - 1)) // length).clamp(min=1)
        part_starts = F.pad(parts.cumsum(0, dtype=torch.int32), (1, 0))
        slots = torch.arange(num_voxels + len(ranks) // length, dtype=torch.int32, device=device)
        voxel_of_part = torch.searchsorted(part_starts, slots, right=True, out_int32=True) - 1
        return cls(ranks, order.int(), voxel_starts, part_starts, voxel_of_part)


def triton_pool(depth: Tensor, pixels: Tensor, tables: PointTables, softmax: bool) -> Tensor:
    """Pool (B, N, D, h, w) depth, or its logits with ``softmax``, and (P, C) pixel features.

    Returns:
        (V, C) float32; sums are in float32 for every dtype of the inputs.
    """
    t = tables  # field by field: the compiler of torch 2.6 does not know `vars`
    arrays = t.ranks, t.order, t.voxel_starts, t.part_starts, t.voxel_of_part
    voxels, _ = bev_pool_op(depth.contiguous(), pixels.contiguous(), *arrays, softmax)
    return voxels


@torch.library.custom_op('hybrid_depth::bev_pool', mutates_args=())
def bev_pool_op(
    depth: Tensor,
    pixels: Tensor,
    ranks: Tensor,
    order: Tensor,
    voxel_starts: Tensor,
    part_starts: Tensor,
    voxel_of_part: Tensor,
    softmax: bool,
) -> tuple[Tensor, Tensor]:
    """Voxels (V, C), and with ``softmax`` the (P,) normaliser of each pixel, else (0,)."""
    (num_pixels, channels), num_bins = pixels.shape, depth.shape[2]
    plane = depth.shape[3] * depth.shape[4]
    num_voxels, num_parts = len(voxel_starts) - 1, len(voxel_of_part)
    voxels, normaliser = _outputs(depth, pixels, voxel_starts, softmax)
    if not voxels.numel():
        return voxels, normaliser
    extra = pixels.new_empty(num_parts - num_voxels, channels, dtype=torch.float32)
    block = min(128, _power_of_two(channels))
    blocks = triton.cdiv(channels, block)
    with _device_of(depth):
        if softmax:
            kernels.log_sum_exp[(triton.cdiv(num_pixels, 4),)](
                depth, normaliser, num_pixels, num_bins, plane, _power_of_two(num_bins), 4
            )
        kernels.pool_parts[lambda meta: (triton.cdiv(num_parts, meta['PARTS']), blocks)](
            depth,
            pixels,
            normaliser,
            order,
            voxel_starts,
            part_starts,
            voxel_of_part,
            voxels,
            extra,
            num_voxels,
            num_parts,
            channels,
            num_bins,
            plane,
            LENGTH=kernels.PART_LENGTH,
            SOFTMAX=softmax,
            CHANNELS=block,
        )
        if len(extra):
            kernels.add_parts[(triton.cdiv(num_voxels, 32), blocks)](
                extra, part_starts, voxels, num_voxels, channels, block, 32
            )
    return voxels, normaliser


@bev_pool_op.register_fake
def _(depth, pixels, ranks, order, voxel_starts, part_starts, voxel_of_part, softmax):
    return _outputs(depth, pixels, voxel_starts, softmax)


def _outputs(depth, pixels, voxel_starts, softmax) -> tuple[Tensor, Tensor]:
    voxels = pixels.new_empty(voxel_starts.shape[0] - 1, pixels.shape[1], dtype=torch.float32)
    return voxels, depth.new_empty(pixels.shape[0] if softmax else 0, dtype=torch.float32)


@torch.library.custom_op('hybrid_depth::bev_pool_gradients', mutates_args=())
def gradients_op(
    grad: Tensor, depth: Tensor, pixels: Tensor, ranks: Tensor, normaliser: Tensor, softmax: bool
) -> tuple[Tensor, Tensor]:
    """Gradients of depth (of its logits with ``softmax``) and pixels for that of the voxels."""
    num_pixels, channels = pixels.shape
    num_bins, plane = depth.shape[2], depth.shape[3] * depth.shape[4]
    grad_depth, grad_pixels = torch.empty_like(depth), torch.empty_like(pixels)
    if depth.numel():
        with _device_of(depth):
            kernels.pool_gradients[lambda meta: (triton.cdiv(num_pixels, meta['PIXELS']),)](
                grad,
                depth,
                pixels,
                normaliser,
                ranks,
                grad_depth,
                grad_pixels,
                num_pixels,
                channels,
                num_bins,
                plane,
                SOFTMAX=softmax,
                BINS=_power_of_two(num_bins),
            )
    return grad_depth, grad_pixels


@gradients_op.register_fake
def _(grad, depth, pixels, ranks, normaliser, softmax):
    return torch.empty_like(depth), torch.empty_like(pixels)


def _save(ctx, inputs, output) -> None:
    depth, pixels, ranks, *_, ctx.softmax = inputs
    ctx.save_for_backward(depth, pixels, ranks, output[1])


def _backward(ctx, grad, _) -> tuple:
    depth, pixels, ranks, normaliser = ctx.saved_tensors
    grad = grad.float().contiguous()
    gradients = gradients_op(grad, depth, pixels, ranks, normaliser, ctx.softmax)
    return (*gradients, *[None] * 6)


bev_pool_op.register_autograd(_backward, setup_context=_save)


def _power_of_two(number: int) -> int:
    return max(16, triton.next_power_of_2(number))


def _device_of(tensor: Tensor):
    """Kernels start on the current device, which need not be that of their arguments."""
    return torch.cuda.device_of(tensor)
