"""What a GPU does: pooling kernels checked, then timed against other algorithms; whole models.

Without a card it is a trial: tiny sizes in Triton's interpreter, whose times mean nothing.
"""

import os
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from hybrid_depth.geometry import DepthBins, VoxelGrid, create_frustum
from hybrid_depth.ops import PoolingPlan
from hybrid_depth.ops.index_add_pool import index_add_pool
from hybrid_depth.ops.sparse_pool import sparse_pool
from hybrid_depth.ops.triton_check import TOLERANCE, largest_error

from .pooling import nuscenes_like_rig

# Batch size, number of bins, channels, feature map, cell size in metres.
SIZES = [
    (batch, bins, channels, (16, 44), 0.8)
    for bins, channels in ((59, 64), (118, 80))
    for batch in (1, 8)
]
TRIAL_SIZES = [(1, 3, 5, (1, 2), 25.6), (2, 4, 20, (1, 2), 25.6)]
WARM_UP, REPEATS = 5, 30
MINUTES = 7.0  # then no other row begins
Pool = Callable[[Tensor, Tensor], Tensor]


def milliseconds(call: Callable[[], object], device: torch.device) -> float:
    """Median time of a call, by CUDA events on a GPU."""
    if device.type == 'cpu':
        start = time.perf_counter()
        call()
        return (time.perf_counter() - start) * 1e3
    for _ in range(WARM_UP):
        call()
    pairs = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(REPEATS)]
    for start, end in pairs:
        start.record()
        call()
        end.record()
    torch.cuda.synchronize(device)
    return median(start.elapsed_time(end) for start, end in pairs)


def copy_bandwidth(device: torch.device) -> float:
    """Bytes a millisecond, read and written, of a copy of 1 GiB (1 MiB on a CPU)."""
    size = 2**20 if device.type == 'cpu' else 2**30
    source = torch.empty(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * size / milliseconds(lambda: target.copy_(source), device)


def pools(plan: PoolingPlan) -> dict[str, Pool]:
    """Algorithms from depth logits (B, N, D, h, w) and (P, C) pixels to voxels, the first ours."""
    from hybrid_depth.ops.triton_pool import triton_pool

    from .interval_kernels import IntervalPool  # both need the environment set before

    tables, pattern = plan.point_tables(), plan.sparse_pattern()

    def with_softmax(pool: Pool) -> Pool:
        return lambda logits, pixels: pool(logits.softmax(2), pixels)

    def in_float32(pool: Pool) -> Pool:
        return with_softmax(lambda depth, pixels: pool(depth.float(), pixels.float()))

    return {
        'Triton, softmax inside': lambda d, f: triton_pool(d, f, tables, True),
        'Triton': with_softmax(lambda d, f: triton_pool(d, f, tables, False)),
        'intervals (BEVPoolv2)': with_softmax(lambda d, f: IntervalPool.apply(d, f, pattern)),
        'sparse product': in_float32(lambda d, f: sparse_pool(d, f, pattern)),
        'index_add': in_float32(lambda d, f: index_add_pool(d, f, plan.ranks, plan.num_voxels)),
    }


def compare(size: tuple, dtype: torch.dtype, device: torch.device, bandwidth: float) -> None:
    """Print times of all algorithms at a size; RuntimeError for a wrong result."""
    batch, num_bins, channels, feat_size, cell = size
    grid = VoxelGrid((-51.2, 51.2, cell), (-51.2, 51.2, cell), (-5.0, 3.0, 8.0))
    bins = DepthBins(1.0, 60.0, num=num_bins)
    frustum = create_frustum(bins.anchors, feat_size, (256, 704), 'centres').to(device)
    rig = nuscenes_like_rig()
    rig = type(rig)(*(x.repeat(batch, *[1] * (x.ndim - 1)).to(device) for x in vars(rig).values()))

    def new_plan() -> PoolingPlan:
        plan = PoolingPlan.from_frustum(frustum, rig, grid)
        plan.point_tables()
        return plan

    plan = new_plan()
    torch.manual_seed(0)
    logits = torch.randn(plan.ranks.shape, device=device, dtype=dtype).requires_grad_()
    pixels = torch.randn(plan.ranks[:, :, 0].numel(), channels, device=device, dtype=dtype)
    pixels.requires_grad_()
    grad = torch.randn(plan.num_voxels, channels, device=device)
    print(
        f'\nB {batch}, D {num_bins}, C {channels}, {dtype}: new plan '
        f'{milliseconds(new_plan, device):.3f} ms\n'
        f'{"softmax and pooling":26}{"forward ms":>18}{"backward ms":>18}{"of copy":>9}'
    )
    needed = sum(x.numel() * x.element_size() for x in (logits, pixels, grad))
    first = None
    algorithms = pools(plan)
    with torch.no_grad():
        expected = algorithms['index_add'](logits, pixels)
    for name, pool in algorithms.items():
        voxels = pool(logits, pixels)
        error = (voxels - expected).abs().max() / expected.abs().max()
        # a softmax before pooling is rounded to the dtype
        if not error <= max(TOLERANCE, torch.finfo(dtype).eps):
            raise RuntimeError(f'{name}: expected the sums of index_add, got an error of {error}')
        with torch.no_grad():
            forward = milliseconds(lambda p=pool: p(logits, pixels), device)
        backward = milliseconds(
            lambda v=voxels: torch.autograd.grad(v, (logits, pixels), grad, retain_graph=True),
            device,
        )
        first = first or (forward, backward)
        pairs = zip((forward, backward), first, strict=True)
        cells = [f'{x:8.3f} ({x / o:5.1f}x)' for x, o in pairs]
        share = needed / forward / bandwidth
        print(f'{name:26}' + ''.join(f'{cell:>18}' for cell in cells) + f'{share:9.1%}')


def main() -> None:
    """Check, then print the tables; an error if a kernel is wrong."""
    deadline = time.monotonic() + MINUTES * 60
    os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')  # deterministic; read by CUDA
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    trial = device.type == 'cpu'
    if trial:
        os.environ['TRITON_INTERPRET'] = '1'  # read at the import of triton
    name = 'no card: a trial, times mean nothing' if trial else torch.cuda.get_device_name(device)
    print(f'{name}; torch {torch.__version__}')
    error = largest_error(device)
    print(f'largest error of the kernels on a small rig: {error:.1e}')
    if not error <= TOLERANCE:
        raise RuntimeError(f'the Triton kernels are wrong on {name}: expected at most {TOLERANCE}')
    bandwidth = copy_bandwidth(device)
    print(f'copy of 1 GiB: {bandwidth / 1e6:.0f} GB/s; "of copy": bytes of inputs and output')
    for size in TRIAL_SIZES if trial else SIZES:
        for dtype in (torch.float32, torch.float16):
            compare(size, dtype, device, bandwidth)
    from . import gpu_models  # its libraries import triton

    gpu_models.main(device, deadline)
