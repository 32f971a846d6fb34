"""Triton kernels of BEV pooling and its gradients, also with the softmax over bins inside.

No atomics: every element of an output is written by one program, which sums in a fixed order.
Points are flat indices into depth (B, N, D, h, w), pixels rows of (B * N * h * w, C); PLANE is
h * w.
"""

import os

import torch
import triton
import triton.language as tl

INTERPRETED = os.environ.get('TRITON_INTERPRET') == '1'  # as at the import of triton
PART_LENGTH = 32  # points of a voxel that one program sums; the rest is for other programs
UNROLL = tl.constexpr(4)  # points whose loads are independent of the sums before them


def _tuned(*configs: triton.Config, interpreted: dict[str, int]):
    """Autotuning by channels, bins and dtypes.

    For deterministic algorithms the first configuration is taken: the fastest one may be another in
    the next process, and with it the order of sums in the backward pass. The interpreter, whose
    time is per program, has larger blocks.
    """
    if INTERPRETED:
        return triton.heuristics({k: lambda _, v=v: v for k, v in interpreted.items()})

    def candidates(configs, named_args, **options):
        return configs[:1] if torch.are_deterministic_algorithms_enabled() else configs

    return triton.autotune(
        list(configs), key=['C', 'D'], prune_configs_by=dict(early_config_prune=candidates)
    )


@_tuned(
    triton.Config(dict(PARTS=8), num_warps=4),
    *(triton.Config(dict(PARTS=n), num_warps=w) for n in (2, 4, 16) for w in (1, 2, 4)),
    interpreted=dict(PARTS=16),
)
@triton.jit
def pool_parts(
    depth,  # (points,) weights, or logits with SOFTMAX
    pixels,  # (pixels, C)
    normaliser,  # (pixels,) logarithm of the sum of exponentials of the logits, with SOFTMAX
    order,  # (points,) points sorted by voxel
    voxel_starts,  # (V + 1,) first point of each voxel in `order`
    part_starts,  # (V + 1,) first part of each voxel
    voxel_of_part,  # (num_parts,) V where there is no part
    voxels,  # (V, C) out: sum of the first part
    extra,  # (num_parts - V, C) out: sums of the other parts, one after the other
    num_voxels,
    num_parts,
    C,
    D,
    PLANE,
    LENGTH: tl.constexpr,
    SOFTMAX: tl.constexpr,
    CHANNELS: tl.constexpr,
    PARTS: tl.constexpr,
):
    """Sum of each part of a voxel's points, one point after the other."""
    part = tl.program_id(0) * PARTS + tl.arange(0, PARTS)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    voxel = tl.load(voxel_of_part + part, mask=part < num_parts, other=num_voxels)
    used = voxel < num_voxels
    number = part - tl.load(part_starts + voxel, mask=used, other=0)
    start = tl.load(voxel_starts + voxel, mask=used, other=0) + number * LENGTH
    end = tl.load(voxel_starts + voxel + 1, mask=used, other=0)
    count = tl.where(used, tl.minimum(end - start, LENGTH), 0)

    total = tl.zeros((PARTS, CHANNELS), tl.float32)
    for first in range(0, tl.max(count, 0), UNROLL):
        for step in tl.static_range(UNROLL):
            inside = first + step < count
            point = tl.load(order + start + first + step, mask=inside, other=0)
            pixel = point // (D * PLANE) * PLANE + point % PLANE
            weight = tl.load(depth + point, mask=inside, other=0.0).to(tl.float32)
            if SOFTMAX:
                shift = tl.load(normaliser + pixel, mask=inside, other=0.0)
                weight = tl.where(inside, tl.exp(weight - shift), 0.0)
            address = pixel.to(tl.int64)[:, None] * C + channel[None, :]
            mask = inside[:, None] & (channel < C)[None, :]
            feature = tl.load(pixels + address, mask=mask, other=0.0).to(tl.float32)
            total += weight[:, None] * feature

    in_first = (used & (number == 0))[:, None] & (channel < C)[None, :]
    in_other = (used & (number > 0))[:, None] & (channel < C)[None, :]
    row = voxel.to(tl.int64)[:, None]
    tl.store(voxels + row * C + channel[None, :], total, mask=in_first)
    # each voxel has a first part: part - voxel - 1 others are before this one
    row = (part - voxel - 1).to(tl.int64)[:, None]
    tl.store(extra + row * C + channel[None, :], total, mask=in_other)


@triton.jit
def add_parts(
    extra,
    part_starts,
    voxels,
    num_voxels,
    C,
    CHANNELS: tl.constexpr,
    VOXELS: tl.constexpr,
):
    """Add the other parts of long voxels to the first one, in their order."""
    voxel = tl.program_id(0) * VOXELS + tl.arange(0, VOXELS)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    used = voxel < num_voxels
    first = tl.load(part_starts + voxel, mask=used, other=0)
    others = tl.load(part_starts + voxel + 1, mask=used, other=1) - first - 1
    most = tl.max(others, 0)
    if most > 0:
        mask = (others > 0)[:, None] & (channel < C)[None, :]
        address = voxels + voxel.to(tl.int64)[:, None] * C + channel[None, :]
        total = tl.load(address, mask=mask, other=0.0)
        rows = extra + (first - voxel).to(tl.int64)[:, None] * C + channel[None, :]
        for number in range(0, most):
            inside = (number < others)[:, None] & (channel < C)[None, :]
            total += tl.load(rows + number * C, mask=inside, other=0.0)
        tl.store(address, total, mask=mask)


@triton.jit
def log_sum_exp(
    logits,
    normaliser,
    num_pixels,
    D,
    PLANE,
    BINS: tl.constexpr,
    PIXELS: tl.constexpr,
):
    """Logarithm of the sum of exponentials over the bins of each pixel."""
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    bin_ = tl.arange(0, BINS)
    address = (pixel // PLANE * D)[:, None] * PLANE + bin_[None, :] * PLANE
    address += (pixel % PLANE)[:, None]
    inside = pixel < num_pixels
    mask = inside[:, None] & (bin_ < D)[None, :]
    values = tl.load(logits + address, mask=mask, other=float('-inf')).to(tl.float32)
    largest = tl.where(inside, tl.max(values, 1), 0.0)
    total = tl.sum(tl.exp(values - largest[:, None]), 1)
    tl.store(normaliser + pixel, largest + tl.log(tl.where(inside, total, 1.0)), mask=inside)


@_tuned(
    triton.Config(dict(PIXELS=2, CHANNELS=32), num_warps=4),
    *(
        triton.Config(dict(PIXELS=n, CHANNELS=c), num_warps=w)
        for n, c in ((1, 16), (1, 32), (4, 16))
        for w in (2, 4, 8)
    ),
    interpreted=dict(PIXELS=8, CHANNELS=64),
)
@triton.jit
def pool_gradients(
    grad,  # (V, C) float32
    depth,
    pixels,
    normaliser,
    ranks,  # (points,) voxel, -1 outside
    grad_depth,  # (points,) out
    grad_pixels,  # (pixels, C) out
    num_pixels,
    C,
    D,
    PLANE,
    SOFTMAX: tl.constexpr,
    BINS: tl.constexpr,
    PIXELS: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    """Both gradients of a few pixels: every voxel gradient of theirs is read once."""
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    bin_ = tl.arange(0, BINS)
    point = (pixel // PLANE * D)[:, None] * PLANE + bin_[None, :] * PLANE
    point += (pixel % PLANE)[:, None]
    is_pixel = pixel < num_pixels
    is_point = is_pixel[:, None] & (bin_ < D)[None, :]
    voxel = tl.load(ranks + point, mask=is_point, other=-1)
    kept = voxel >= 0
    weight = tl.load(depth + point, mask=is_point, other=0.0).to(tl.float32)
    if SOFTMAX:
        shift = tl.load(normaliser + pixel, mask=is_pixel, other=0.0)
        weight = tl.where(is_point, tl.exp(weight - shift[:, None]), 0.0)

    products = tl.zeros((PIXELS, BINS), tl.float32)
    for first in range(0, C, CHANNELS):
        channel = first + tl.arange(0, CHANNELS)
        is_channel = channel < C
        address = voxel.to(tl.int64)[:, :, None] * C + channel[None, None, :]
        mask = kept[:, :, None] & is_channel[None, None, :]
        upstream = tl.load(grad + address, mask=mask, other=0.0)
        address = pixel.to(tl.int64)[:, None] * C + channel[None, :]
        mask = is_pixel[:, None] & is_channel[None, :]
        feature = tl.load(pixels + address, mask=mask, other=0.0).to(tl.float32)
        products += tl.sum(upstream * feature[:, None, :], 2)
        tl.store(grad_pixels + address, tl.sum(upstream * weight[:, :, None], 1), mask=mask)
    if SOFTMAX:
        products = weight * (products - tl.sum(weight * products, 1)[:, None])
    tl.store(grad_depth + point, products, mask=is_point)
