"""The Triton kernels in Triton's interpreter, on a CPU (TRITON_INTERPRET, set in conftest.py)."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch._subclasses import FakeTensorMode

from hybrid_depth.geometry import CameraRig, VoxelGrid
from hybrid_depth.ops import PoolingPlan, bev_pool, triton_check
from hybrid_depth.ops.index_add_pool import index_add_pool
from tests.geometry.test_frustum_ranks import random_case

pytest.importorskip('triton', reason='Triton has wheels for Linux only')

from hybrid_depth.ops import triton_kernels as kernels
from hybrid_depth.ops.triton_pool import (
    PointTables,
    bev_pool_op,
    gradients_op,
    triton_pool,
)

if not kernels.INTERPRETED:
    pytest.fail('triton was imported before tests/conftest.py set TRITON_INTERPRET')

# float32: sums of at most some hundreds of terms in another order than in float64
LIMIT = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}


def random_rig(seed: int) -> tuple[torch.Tensor, int, int]:
    """Ranks (B, N, D, h, w), number of voxels and of channels; a special case in some."""
    generator = torch.Generator().manual_seed(seed)

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=generator))

    shape = (draw(1, 3), draw(1, 3), draw(1, 20), draw(1, 4), draw(1, 5))
    num_voxels, channels = shape[0] * draw(1, 30), (1, 3, 16, 20, 80, 130)[seed % 6]
    per_sample = num_voxels // shape[0]
    ranks = torch.randint(-1, per_sample, shape, generator=generator)
    case = seed % 5
    if case == 1:  # all points outside
        ranks[:] = -1
    elif case == 2:  # one voxel, of more points than a program sums
        shape = (1, 2, 19, 3, 4)
        ranks, num_voxels, per_sample = torch.zeros(shape, dtype=torch.int64), 1, 1
    elif case == 3:  # most voxels are empty, and one has many points
        ranks = torch.where(ranks > 3, 2 % per_sample, ranks)
    samples = torch.arange(shape[0]).view(-1, 1, 1, 1, 1) * per_sample
    return torch.where(ranks < 0, ranks, ranks + samples), num_voxels, channels


def run(pool, depth, pixels, grad):
    """Voxels and both gradients."""
    inputs = depth.detach().requires_grad_(), pixels.detach().requires_grad_()
    voxels = pool(*inputs)
    return voxels.detach(), *torch.autograd.grad(voxels, inputs, grad.to(voxels))


def errors(seed: int, softmax: bool, dtype: torch.dtype = torch.float32) -> list[float]:
    """Errors against ``index_add`` in float64, relative to the largest value."""
    ranks, num_voxels, channels = random_rig(seed)
    torch.manual_seed(seed)
    b, n, _, h, w = ranks.shape
    depth, pixels = torch.randn(ranks.shape).to(dtype), torch.randn(b * n * h * w, channels)
    pixels, grad = pixels.to(dtype), torch.randn(num_voxels, channels)
    tables = PointTables.build(ranks, num_voxels)
    found = run(lambda d, f: triton_pool(d, f, tables, softmax), depth, pixels, grad)
    assert [x.dtype for x in found] == [torch.float32, dtype, dtype]
    expected = run(
        lambda d, f: index_add_pool(d.softmax(2) if softmax else d, f, ranks, num_voxels),
        depth.double(),
        pixels.double(),
        grad,
    )
    return [
        ((one - other).abs().max() / other.abs().max().clamp(min=1)).item()
        for one, other in zip(found, expected, strict=True)
    ]


@pytest.mark.parametrize('softmax', [False, True])
def test_sums_and_gradients_equal_index_add_in_float64(softmax):
    for seed in range(50):
        assert max(errors(seed, softmax)) <= LIMIT[torch.float32], seed


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(dtype):
    """Sums are as exact as in float32; gradients are rounded once, to the inputs' dtype."""
    for seed in range(0, 50, 11):
        for softmax in (False, True):
            sums, *gradients = errors(seed, softmax, dtype)
            assert sums <= LIMIT[torch.float32], seed
            assert max(gradients) <= LIMIT[dtype], seed


def test_long_voxels_are_divided_into_parts():
    """The rigs have voxels of no, one and more parts; the parts cover all points once."""
    lengths = set()
    for seed in range(50):
        ranks, num_voxels, _ = random_rig(seed)
        tables = PointTables.build(ranks, num_voxels)
        counts = torch.bincount(ranks[ranks >= 0], minlength=num_voxels)
        parts = (counts + kernels.PART_LENGTH - 1).div(kernels.PART_LENGTH).long().clamp(min=1)
        assert torch.equal(tables.voxel_starts.diff().long(), counts)
        assert torch.equal(tables.part_starts.diff().long(), parts)
        expected = torch.arange(num_voxels).repeat_interleave(parts)
        found = tables.voxel_of_part
        assert torch.equal(found[: len(expected)].long(), expected)
        assert (found[len(expected) :] == num_voxels).all()
        sorted_ranks = ranks.flatten()[tables.order.long()][: counts.sum()]
        assert torch.equal(sorted_ranks, ranks[ranks >= 0].sort().values)
        lengths |= set(parts.tolist())
    assert {1, 2, 15} <= lengths, lengths


def test_two_runs_are_bit_equal():
    ranks, num_voxels, channels = random_rig(2)
    tables, depth = PointTables.build(ranks, num_voxels), torch.randn(ranks.shape)
    pixels, grad = torch.randn(ranks[:, :, 0].numel(), channels), torch.randn(num_voxels, channels)
    one, other = (
        run(lambda d, f: triton_pool(d, f, tables, True), depth, pixels, grad) for _ in range(2)
    )
    assert all(map(torch.equal, one, other))


def test_kernels_have_no_atomics():
    tree = ast.parse(Path(kernels.__file__).read_text())
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert 'store' in names
    assert not [name for name in names if 'atomic' in name]


def test_kernels_compile_for_a_gpu_without_atomics(tmp_path):
    """The interpreter accepts more than the compiler, which needs no GPU."""
    pytest.importorskip('triton', '3.6', 'the compiler has another interface before Triton 3.6')
    env = dict(os.environ, TRITON_CACHE_DIR=str(tmp_path), PYTHONPATH=os.pathsep.join(sys.path))
    del env['TRITON_INTERPRET']
    script = Path(__file__).with_name('triton_compile.py')
    done = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True)
    assert done.stdout == 'compiled 4 []\n', done.stderr[-2000:]


@pytest.mark.parametrize('softmax', [False, True])
def test_operators_are_registered_for_compilers(softmax):
    """Schema, fake kernel and autograd registration, with PyTorch's own checks."""
    ranks, num_voxels, channels = random_rig(4)
    tables = PointTables.build(ranks, num_voxels)
    depth, pixels = torch.randn(ranks.shape), torch.randn(ranks[:, :, 0].numel(), channels)
    inputs = depth.requires_grad_(), pixels.requires_grad_()
    arguments = (tables.ranks, tables.order, tables.voxel_starts, tables.part_starts)
    torch.library.opcheck(bev_pool_op, (*inputs, *arguments, tables.voxel_of_part, softmax))
    normaliser = torch.logsumexp(depth.detach(), 2).flatten() if softmax else torch.empty(0)
    detached = depth.detach(), pixels.detach()
    grad = torch.randn(num_voxels, channels)
    torch.library.opcheck(gradients_op, (grad, *detached, tables.ranks, normaliser, softmax))


def plan_and_inputs() -> tuple[PoolingPlan, torch.Tensor, torch.Tensor]:
    ranks = torch.randint(-3, 24, (1, 2, 5, 2, 3))
    plan = PoolingPlan(ranks.clamp(min=-1), VoxelGrid((0, 4, 1), (0, 3, 1), (0, 2, 1)))
    return plan, torch.randn(ranks.shape), torch.randn(1, 2, 6, 2, 3)


@pytest.mark.parametrize('softmax', [False, True])
def test_back_end_equals_the_reference(softmax):
    plan, depth, feat = plan_and_inputs()
    found, expected = (
        bev_pool(depth, feat, plan, backend, softmax) for backend in ('triton', 'index_add')
    )
    torch.testing.assert_close(found, expected)


def test_compiled_and_exported_graphs_keep_the_operator():
    plan, depth, feat = plan_and_inputs()
    plan.point_tables()

    class Pool(torch.nn.Module):
        def forward(self, depth, feat):
            return bev_pool(depth, feat, plan, 'triton', softmax=True)

    expected = Pool()(depth, feat)
    compiled = torch.compile(Pool(), backend='aot_eager', fullgraph=True)
    assert torch.equal(compiled(depth, feat), expected)
    exported = torch.export.export(Pool(), (depth, feat), strict=False)  # today's default
    graphs = [x.graph for x in exported.graph_module.modules() if hasattr(x, 'graph')]
    targets = [str(node.target) for graph in graphs for node in graph.nodes]
    assert 'hybrid_depth.bev_pool.default' in targets
    assert not [name for name in targets if 'softmax' in name]
    assert torch.equal(exported.module()(depth, feat), expected)


@pytest.mark.skipif(
    torch.__version__.startswith('2.6.'), reason='torch 2.6 inverts fake CUDA tensors by a driver'
)
def test_plan_on_a_device_needs_no_values():
    """Under FakeTensorMode: shapes do not depend on values, so nothing waits for the device."""
    frustum, rig, grid = random_case(1)
    (b, n), (d, h, w) = rig.cam2img.shape[:2], frustum.shape[:3]
    with FakeTensorMode() as mode:
        rig = CameraRig(*(mode.from_tensor(x).to('cuda') for x in vars(rig).values()))
        plan = PoolingPlan.from_frustum(mode.from_tensor(frustum).to('cuda'), rig, grid)
        depth, feat = (torch.randn(b, n, size, h, w, device='cuda') for size in (d, 6))
        bev = bev_pool(depth, feat, plan, softmax=True)
    nx, ny, nz = grid.size
    assert bev.shape == (b, nz * 6, ny, nx) and bev.device.type == 'cuda'


def test_check_of_a_device_finds_wrong_kernels(monkeypatch):
    """The check that `auto` relies on, here on the CPU; it fails for a part that is lost."""
    cpu = torch.device('cpu')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    works = triton_check.triton_works.__wrapped__
    messages = []
    monkeypatch.setattr(triton_check, 'print_log', lambda text, **_: messages.append(text))
    assert triton_check.largest_error(cpu) < 1e-6
    assert works(cpu)
    build = PointTables.build
    monkeypatch.setattr(
        PointTables, 'build', lambda ranks, n: build(ranks.where(ranks != 5, -1), n)
    )
    assert not works(cpu)
    monkeypatch.setattr(PointTables, 'build', lambda ranks, n: 1 / 0)
    assert not works(cpu)
    assert 'Triton kernels, checked on cpu' in messages[0]
    assert 'sparse product on cpu; an error of' in messages[1]
    assert 'ZeroDivisionError' in messages[2]
