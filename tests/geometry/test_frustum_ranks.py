import sys

import pytest
import torch

from hybrid_depth.geometry import (
    CameraRig,
    DepthBins,
    VoxelGrid,
    create_frustum,
    frustum_ranks,
    lift_frustum,
)
from tests.golden.bevdet import OFFICIAL_GRID, official_frustum, official_rig

MODULE = sys.modules[frustum_ranks.__module__]  # `geometry.frustum_ranks` is the function
FRONT = torch.tensor([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]], dtype=torch.float64)


def rotation(generator: torch.Generator) -> torch.Tensor:
    q, r = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64))
    q = q * r.diagonal().sign()
    return q * q.det()


def random_case(seed: int) -> tuple[torch.Tensor, CameraRig, VoxelGrid]:
    """Frustum, rig and grid; in each second one axis-aligned cameras put points on borders."""
    generator = torch.Generator().manual_seed(seed)

    def rand(*shape):
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    batch, cams, exact = 1 + seed % 2, 1 + seed % 3, seed % 2 == 0
    cam2img, img_aug = torch.eye(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64)
    cam2img = cam2img.repeat(batch, cams, 1, 1)
    img_aug = img_aug.repeat(batch, cams, 1, 1)
    cam2ego, bda = (
        torch.eye(4, dtype=torch.float64).repeat(*shape, 1, 1)
        for shape in ((batch, cams), (batch,))
    )
    if exact:  # pixels, depths, steps and shifts are small multiples of 1/8: no lift rounds
        cam2img[..., 0, 0] = cam2img[..., 1, 1] = 2.0 ** (seed % 5)
        cam2ego[..., :3, :3] = FRONT
        cam2ego[..., :3, 3] = (rand(batch, cams, 3) * 64 - 32).round() / 8
    else:
        cam2img[..., :2, :2] += torch.diag_embed(rand(batch, cams, 2) * 30)
        cam2img[..., :2, 2] = rand(batch, cams, 2) * 20
        img_aug[..., :2, :2] += (rand(batch, cams, 2, 2) - 0.5) / 2
        img_aug[..., :2, 2] = rand(batch, cams, 2) * 30 - 15
        cam2ego[..., :3, :3] = rotation(generator)
        cam2ego[..., :3, 3] = rand(batch, cams, 3) * 4
        bda[..., :3, :3] = rotation(generator)
    step = (0.1, 0.8, 0.5, 1.0)[seed % 4]
    grid = VoxelGrid(
        (-16 * step, 16 * step, step),
        (-8 * step, 16 * step, step),
        (-2.0, 2.0, (4.0, 0.5)[seed % 2]),
        rounding=('floor', 'trunc')[seed // 2 % 2],
    )
    bins = DepthBins(1.0, 25.0, step=(1.0, 0.125)[seed % 2])
    frustum = create_frustum(bins.anchors, (5, 9), (40, 72), ('corners', 'centres')[seed // 4 % 2])
    return frustum, CameraRig(cam2img, cam2ego, img_aug, bda, bda), grid


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_ranks_are_those_of_the_lift_bit_for_bit(dtype):
    inside, on_border = 0, 0
    for seed in range(40):
        frustum, rig, grid = random_case(seed)
        rig = rig.to(dtype)
        points = lift_frustum(frustum, rig)
        expected, ranks = grid.ranks(points), frustum_ranks(frustum, rig, grid)
        assert ranks.dtype == torch.int32
        assert torch.equal(ranks.long(), expected)
        scaled = (
            points - points.new_tensor([grid.x[0], grid.y[0], grid.z[0]])
        ) / points.new_tensor([grid.x[2], grid.y[2], grid.z[2]])
        inside += (expected >= 0).sum()
        on_border += (scaled == scaled.round()).any(-1).sum()
    assert inside > 10_000
    assert on_border > 1_000


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_points_closer_to_a_border_than_float32_tells(dtype):
    """Grids with a border through a point, or 1e-7 cells beside it: float32 alone is wrong."""
    wrong = 0
    for seed in range(1, 40, 2):
        frustum, rig, grid = random_case(seed)
        rig = rig.to(dtype)
        points = lift_frustum(frustum, rig)
        for point in points.flatten(0, 4)[torch.randperm(points[..., 0].numel())[:5]]:
            beside = (-1e-7, 0.0, 1e-7)[seed % 3]
            axes = [
                (value + (beside - 3) * step, value + (beside + 5) * step, step)
                for value, (_, _, step) in zip(
                    point.tolist(), (grid.x, grid.y, grid.z), strict=True
                )
            ]
            close = VoxelGrid(*axes, grid.rounding)
            expected = close.ranks(points)
            assert torch.equal(frustum_ranks(frustum, rig, close).long(), expected)
            float32, _ = MODULE._float32_ranks(frustum, MODULE.LiftMatrices.of(rig), close)
            wrong += (float32.permute(0, 1, 4, 2, 3) != expected).sum()
    assert wrong > 20


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
@pytest.mark.parametrize('view', ['test', 'aug'])
def test_ranks_of_a_real_rig(view, dtype):
    frustum, rig = official_frustum(), official_rig(view).to(dtype)
    ranks = frustum_ranks(frustum, rig, OFFICIAL_GRID)
    assert torch.equal(ranks.long(), OFFICIAL_GRID.ranks(lift_frustum(frustum, rig)))


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_error_bound_holds_and_leaves_few_points(dtype):
    """On the real rig: larger than the errors in voxels, with at most 0.5 % of the points near."""
    frustum, rig = official_frustum(), official_rig('aug').to(dtype)
    cameras = MODULE.LiftMatrices.of(rig)
    bound = MODULE._error_bound(frustum, cameras, OFFICIAL_GRID)
    ray, centre = MODULE._voxel_rays(frustum[0, ..., :2], cameras, OFFICIAL_GRID)
    scaled = ray.unsqueeze(-2) * frustum[:, 0, 0, 2, None] + centre.unsqueeze(-2)
    points = lift_frustum(frustum, rig).permute(0, 1, 3, 4, 2, 5)
    lower, step = points.new_tensor([OFFICIAL_GRID.x, OFFICIAL_GRID.y, OFFICIAL_GRID.z])[:, ::2].T
    error = (scaled - (points - lower) / step).abs().max()
    assert 0 < error < bound
    _, near = MODULE._float32_ranks(frustum, cameras, OFFICIAL_GRID)
    assert 0 < near.sum() < 0.005 * near.numel()


def test_a_nan_in_the_calibration_leaves_the_grid_empty():
    frustum, rig, grid = random_case(0)
    rig.cam2ego[..., 0, 3] = torch.nan
    assert (frustum_ranks(frustum, rig, grid) == -1).all()


def test_singular_intrinsics_are_rejected():
    frustum, rig, grid = random_case(1)
    rig.cam2img[..., 0, 0] = 0
    with pytest.raises(ValueError, match='singular'):
        frustum_ranks(frustum, rig, grid)


def test_ranks_beyond_int32():
    frustum, rig, _ = random_case(1)
    grid = VoxelGrid((-16.0, 16.0, 0.01), (-16.0, 16.0, 0.01), (-2.0, 2.0, 0.01))
    ranks = frustum_ranks(frustum, rig, grid)
    assert ranks.dtype == torch.int64 and ranks.max() > 2**31
    assert torch.equal(ranks, grid.ranks(lift_frustum(frustum, rig)))
