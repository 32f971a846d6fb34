"""Whether the Triton kernels of BEV pooling work on a device."""

from __future__ import annotations

import functools
import importlib.util

import torch
from mmengine.logging import print_log

# Of the largest value: float32 sums of some tens of terms in another order.
TOLERANCE = 1e-5


@functools.cache
def triton_works(device: torch.device) -> bool:
    """Whether pooling by Triton equals ``index_add`` on a CUDA device; logged, once a process.

    True without a card: under ``FakeTensorMode`` only shapes are computed.
    """
    if importlib.util.find_spec('triton') is None:
        print_log('bev_pool: sparse product on CUDA; Triton is not installed', logger='current')
        return False
    if not torch.cuda.is_available():
        return True
    try:
        error = largest_error(device)
    except Exception as problem:  # whatever a compiler, driver or card may raise
        reason = f'the Triton kernels fail: {type(problem).__name__}: {problem}'
    else:
        if error <= TOLERANCE:
            print_log(f'bev_pool: Triton kernels, checked on {device}', logger='current')
            return True
        reason = f'an error of {error:.2g} of the Triton kernels, expected at most {TOLERANCE}'
    print_log(f'bev_pool: sparse product on {device}; {reason}', logger='current', level=30)
    return False


# A constant of compiled graphs, as by torch.compiler.assume_constant_result, which would import
# torch._dynamo and Triton with this module.
triton_works._dynamo_marked_constant = True


def largest_error(device: torch.device) -> float:
    """Largest relative difference of sums and gradients, Triton against ``index_add``.

    Two samples of 12 pixels with 20 bins and 24 channels; empty voxels, and one with more points
    than a program sums.
    """
    from .index_add_pool import index_add_pool
    from .triton_pool import PointTables, triton_pool

    generator = torch.Generator().manual_seed(0)
    shape, channels, num_voxels = (2, 1, 20, 3, 4), 24, 40
    ranks = torch.randint(-10, num_voxels - 10, shape, generator=generator).clamp(min=-1)
    ranks[:, :, :2] = 5
    values = [
        torch.randn(size, generator=generator)
        for size in (shape, (24, channels), (num_voxels, channels))
    ]
    ranks, depth, pixels, grad = (x.to(device) for x in (ranks, *values))
    tables, error = PointTables.build(ranks, num_voxels), 0.0
    with torch.enable_grad():
        for softmax in (False, True):
            results = []
            for pool in (
                lambda d, f: triton_pool(d, f, tables, softmax),  # noqa: B023 (called here)
                lambda d, f: index_add_pool(
                    d.softmax(2) if softmax else d,  # noqa: B023
                    f,
                    ranks,
                    num_voxels,
                ),
            ):
                inputs = [x.clone().requires_grad_() for x in (depth, pixels)]
                voxels = pool(*inputs)
                results.append((voxels, *torch.autograd.grad(voxels, inputs, grad)))
            for found, expected in zip(*results, strict=True):
                difference = (found - expected).abs().max() / expected.abs().max()
                error = max(error, difference.item()) if difference == difference else torch.inf
    return error
