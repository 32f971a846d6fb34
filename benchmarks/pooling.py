"""BEV pooling: sparse product against other common implementations on a CPU."""

import time
from collections.abc import Callable

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


def main(repeats: int = 20) -> None:
    """Print time, peak memory and their ratios to the default, for D = 59 and 118."""
    grid = VoxelGrid((-51.2, 51.2, 0.8), (-51.2, 51.2, 0.8), (-5.0, 3.0, 8.0))
    print(
        f'BEV pooling, 6 x 16 x 44 pixels, C = {CHANNELS}, 128 x 128 cells, ranks cached, '
        f'{torch.get_num_threads()} threads, torch {torch.__version__}'
    )
    for step in (1.0, 0.5):
        bins = DepthBins(1.0, 60.0, step=step)
        frustum = create_frustum(bins.anchors, (16, 44), (256, 704), align='centres')
        plan = PoolingPlan.from_points(lift_frustum(frustum, nuscenes_like_rig()), grid)
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
