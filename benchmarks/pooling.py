"""BEV pooling: sparse product against other common implementations on a CPU."""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from hybrid_depth.geometry import CameraRig, DepthBins, VoxelGrid, create_frustum, lift_frustum
from hybrid_depth.ops import PoolingPlan, bev_pool

from .memory import peak_mib

CHANNELS = 64


def nuscenes_like_rig() -> CameraRig:
    """Six cameras every 60 degrees at 1.5 m, 1266-pixel focal length scaled to 256x704."""
    yaw = torch.deg2rad(torch.arange(0.0, 360.0, 60.0, dtype=torch.float64))
    cam2ego = torch.zeros(1, 6, 4, 4, dtype=torch.float64)
    cam2ego[..., 0, 0], cam2ego[..., 0, 2] = yaw.sin(), yaw.cos()
    cam2ego[..., 1, 0], cam2ego[..., 1, 2] = -yaw.cos(), yaw.sin()
    cam2ego[..., 2, 1], cam2ego[..., 2, 3], cam2ego[..., 3, 3] = -1.0, 1.5, 1.0
    cam2img = torch.tensor([[1266.0, 0, 816], [0, 1266, 491], [0, 0, 1]], dtype=torch.float64)
    img_aug = torch.tensor([[0.44, 0, 0], [0, 0.44, -140], [0, 0, 1]], dtype=torch.float64)
    eye = torch.eye(4, dtype=torch.float64)[None]
    return CameraRig(cam2img.expand(1, 6, 3, 3), cam2ego, img_aug.expand(1, 6, 3, 3), eye, eye)


def materialised_index_add(depth: Tensor, feat: Tensor, plan: PoolingPlan) -> Tensor:
    """All (points x C) products at once, then ``index_add``."""
    ranks = plan.ranks.flatten()
    kept = (ranks >= 0).nonzero().squeeze(1)
    product = (depth.unsqueeze(3) * feat.unsqueeze(2)).permute(0, 1, 2, 4, 5, 3)
    product = product.reshape(-1, feat.shape[2])[kept]
    return product.new_zeros(plan.num_voxels, feat.shape[2]).index_add(0, ranks[kept], product)


def sort_and_cumsum(depth: Tensor, feat: Tensor, plan: PoolingPlan) -> Tensor:
    """LSS: products sorted by voxel, cumulative sum, difference at the interval ends."""
    ranks = plan.ranks.flatten()
    kept = (ranks >= 0).nonzero().squeeze(1)
    order = kept[ranks[kept].argsort()]
    product = (depth.unsqueeze(3) * feat.unsqueeze(2)).permute(0, 1, 2, 4, 5, 3)
    total = product.reshape(-1, feat.shape[2])[order].double().cumsum(0)
    voxel = ranks[order]
    last = torch.cat((voxel[1:] != voxel[:-1], voxel.new_ones(1, dtype=torch.bool)))
    ends = total[last]
    sums = torch.cat((ends[:1], ends[1:] - ends[:-1])).float()
    return sums.new_zeros(plan.num_voxels, feat.shape[2]).index_copy(0, voxel[last], sums)


def _milliseconds(call: Callable[[], object], repeats: int) -> float:
    call()
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats * 1e3


def _measure(pool: Callable[[Tensor, Tensor], Tensor], depth: Tensor, feat: Tensor, repeats: int):
    def forward():
        with torch.no_grad():
            return pool(depth, feat)

    def step():
        depth.grad = feat.grad = None
        pool(depth, feat).sum().backward()

    return (
        _milliseconds(forward, repeats),
        _milliseconds(step, repeats),
        peak_mib(forward),
        peak_mib(step),
    )


def plain_plan(frustum: Tensor, rig: CameraRig, grid: VoxelGrid) -> tuple[Tensor, ...]:
    """Plan by a float64 lift of all points and sorts of int64: the arrays of ``SparsePattern``."""
    points = lift_frustum(frustum, rig)
    lower, step = points.new_tensor([grid.x, grid.y, grid.z])[:, ::2].T
    x, y, z = ((points - lower) / step).floor().long().unbind(-1)
    nx, ny, nz = grid.size
    batch = torch.arange(len(points)).view(-1, 1, 1, 1, 1)
    ranks = ((batch * nz + z) * ny + y) * nx + x
    inside = (x >= 0) & (x < nx) & (y >= 0) & (y < ny) & (z >= 0) & (z < nz)
    ranks = ranks.masked_fill(~inside, -1)

    b, n, d, h, w = ranks.shape
    plane, num_voxels = h * w, b * grid.num_voxels
    by_pixel = ranks.permute(0, 1, 3, 4, 2).reshape(-1)
    kept = (by_pixel >= 0).nonzero().squeeze(1)
    voxel, pixel = by_pixel[kept], torch.div(kept, d, rounding_mode='floor')
    view = torch.div(pixel, plane, rounding_mode='floor')
    depth = (view * d + kept % d) * plane + pixel % plane
    order = voxel.argsort(stable=True)
    in_pixel_order = torch.empty_like(order)
    in_pixel_order[order] = torch.arange(len(order))
    starts = (
        torch.nn.functional.pad(torch.bincount(rows, minlength=size).cumsum(0), (1, 0)).int()
        for rows, size in ((voxel, num_voxels), (pixel, b * n * plane))
    )
    by_voxel = depth[order]
    voxel_starts, pixel_starts = starts
    columns = pixel[order].int(), voxel.int()
    return voxel_starts, columns[0], by_voxel, pixel_starts, columns[1], by_voxel[in_pixel_order]


def _compare_plans(frustum: Tensor, rig: CameraRig, grid: VoxelGrid, repeats: int) -> None:
    """Print the time of a new plan, alternating with the plain one, and of its use."""

    def new() -> PoolingPlan:
        plan = PoolingPlan.from_frustum(frustum, rig, grid)
        plan.sparse_pattern()
        return plan

    for found, expected in zip(
        vars(new().sparse_pattern()).values(), plain_plan(frustum, rig, grid), strict=True
    ):
        assert torch.equal(found.long(), expected.long())
    calls = {
        'new plan': new,
        '  of it: ranks': lambda: PoolingPlan.from_frustum(frustum, rig, grid),
        'new plan, plain algorithm': lambda: plain_plan(frustum, rig, grid),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - start) * 1e3)
    plain = median(times['new plan, plain algorithm'])
    for name, values in times.items():
        print(
            f'{name:34}{median(values):8.1f} ms, fastest {min(values):6.1f} ms, '
            f'{median(values) / plain:5.2f} of plain'
        )


def main(repeats: int = 20) -> None:
    """Print time, peak memory and their ratios to the default, for D = 59 and 118."""
    grid = VoxelGrid((-51.2, 51.2, 0.8), (-51.2, 51.2, 0.8), (-5.0, 3.0, 8.0))
    print(
        f'BEV pooling, 6 x 16 x 44 pixels, C = {CHANNELS}, 128 x 128 cells, plans cached, '
        f'{torch.get_num_threads()} threads, torch {torch.__version__}'
    )
    rig = nuscenes_like_rig()
    for step in (1.0, 0.5):
        bins = DepthBins(1.0, 60.0, step=step)
        frustum = create_frustum(bins.anchors, (16, 44), (256, 704), align='centres')
        plan = PoolingPlan.from_frustum(frustum, rig, grid)
        plan.sparse_pattern()
        torch.manual_seed(0)
        depth = torch.rand(1, 6, bins.num, 16, 44).softmax(2).requires_grad_()
        feat = torch.randn(1, 6, CHANNELS, 16, 44).requires_grad_()
        forms = {
            'sparse product (default)': lambda d, f, p=plan: bev_pool(d, f, p),
            'index_add by bin (reference)': lambda d, f, p=plan: bev_pool(d, f, p, 'index_add'),
            'index_add, materialised': lambda d, f, p=plan: materialised_index_add(d, f, p),
            'sort and cumsum (LSS)': lambda d, f, p=plan: sort_and_cumsum(d, f, p),
        }
        print(
            f'\nD = {bins.num}, {int((plan.ranks >= 0).sum())} points in the grid\n'
            f'{"form":34}{"forward ms":>18}{"fwd + bwd ms":>20}'
            f'{"forward MiB":>20}{"fwd + bwd MiB":>20}'
        )
        first = None
        for name, pool in forms.items():
            row = _measure(pool, depth, feat, repeats)
            first = first or row
            cells = [f'{x:8.1f} ({x / max(o, 0.1):5.1f}x)' for x, o in zip(row, first, strict=True)]
            print(f'{name:34}' + ''.join(f'{cell:>20}' for cell in cells))
        print()
        _compare_plans(frustum, rig, grid, repeats)
