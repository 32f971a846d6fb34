"""Plane sweeps against closed forms, loops and the official bins."""

import numpy as np
import pytest
import torch

from hybrid_depth.geometry import cost_volume, depth_planes, plane_sweep
from hybrid_depth.geometry.poses import Motion
from hybrid_depth.geometry.projection import back_project, project, sample
from tests.golden.reader import Golden

RULES = Golden('manydepth_rules')
FOCAL, SHIFT, DEPTH = 20.0, 4, 2.5
CAM2IMG = torch.tensor([[[FOCAL, 0, 20], [0, FOCAL, 8], [0, 0, 1.0]]])
SIZE = (16, 40)


def sideways(distance):
    """(1, 1, 4, 4): the lookup camera stands to the right by a distance."""
    transform = torch.eye(4)[None, None].clone()
    transform[..., 0, 3] = -distance
    return transform


@pytest.fixture
def plane():
    """Features of a plane at DEPTH, seen from here and SHIFT pixels to the right."""
    scene = torch.rand(1, 6, SIZE[0], SIZE[1] + SHIFT, generator=torch.Generator().manual_seed(0))
    return scene[..., :-SHIFT], scene[:, None, ..., SHIFT:], sideways(SHIFT * DEPTH / FOCAL)


def test_golden_bins():
    depth_range = torch.tensor([0.3, 17.0], dtype=torch.float64)
    RULES.check('bins.linear', depth_planes(depth_range, 16), 1e-6)
    RULES.check('bins.inverse', depth_planes(depth_range, 16, 'inverse'), 1e-6)


@pytest.mark.parametrize(('num', 'spacing'), [(1, 'linear'), (8, 'log')])
def test_planes_that_are_none(num, spacing):
    with pytest.raises(ValueError, match='at least 2 planes'):
        depth_planes(torch.tensor([1.0, 2.0]), num, spacing)


def test_finds_the_depth_of_a_plane(plane):
    planes = depth_planes(torch.tensor([1.0, 4.03]), 40)
    volume = plane_sweep(*plane[:2], CAM2IMG, plane[2], planes)
    inner = volume.best_depth()[:, 3:-3, SHIFT + 3 : -3]
    assert (inner - DEPTH).abs().max() < planes[1] - planes[0]
    assert not volume.costs.requires_grad


def test_costs_of_one_view_by_a_loop(plane):
    """At depth 5 the views are 2 pixels apart: no interpolation."""
    target, lookups, transform = plane
    volume = plane_sweep(target, lookups, CAM2IMG, transform, torch.tensor([5.0, DEPTH]))
    for y, x in np.ndindex(*SIZE):
        there = x - 2
        seen = 2 <= y < SIZE[0] - 2 and 2 <= x < SIZE[1] - 2 and 2 <= there
        if seen and (y == 2 or there == 2):
            continue  # on the border itself, where rounding decides
        assert volume.missing[0, 0, y, x] == (not seen)
        if seen:
            cost = (target[0, :, y, x] - lookups[0, 0, :, y, there]).abs().mean()
            assert volume.costs[0, 0, y, x] == pytest.approx(cost.item(), abs=1e-5)


def test_missing_cells_get_the_largest_cost_of_their_pixel(plane):
    planes = depth_planes(torch.tensor([0.4, 4.0]), 16)
    volume = plane_sweep(*plane[:2], CAM2IMG, plane[2], planes)
    partly = volume.missing.any(1) & ~volume.missing.all(1)
    assert partly.any() and not volume.confidence[partly].any()
    largest = volume.costs.masked_fill(volume.missing, 0).amax(1, keepdim=True)
    filled = volume.costs == largest
    assert filled[volume.missing].all()
    unseen = volume.missing.all(1)
    assert unseen.any() and (volume.best_depth()[unseen] == planes[0]).all()


@pytest.mark.parametrize('chunk', [1, 3, 100])
def test_chunks_change_nothing(plane, chunk):
    planes = depth_planes(torch.tensor([1.0, 4.0]), 8, 'inverse')
    whole = plane_sweep(*plane[:2], CAM2IMG, plane[2], planes, chunk=8)
    assert torch.equal(plane_sweep(*plane[:2], CAM2IMG, plane[2], planes, chunk).costs, whole.costs)


def test_views_are_averaged_where_they_see_the_point_and_left_out_without_pose():
    """Two items: the first has views 0 and 1, the second view 1 alone."""
    torch.manual_seed(0)
    target, lookups = torch.rand(2, 4, *SIZE), torch.rand(2, 2, 4, *SIZE)
    turn = Motion(torch.tensor([[0.0, 0.1, 0.02]]), torch.tensor([[0.2, 0.1, 0.4]])).matrix()
    transforms = torch.stack([sideways(0.4)[0], turn[None][0]], 1).repeat(2, 1, 1, 1)
    planes, camera = torch.tensor([1.0, 2.0, 3.0]), CAM2IMG.repeat(2, 1, 1)
    single = [
        plane_sweep(target, lookups[:, [i]], camera, transforms[:, [i]], planes) for i in (0, 1)
    ]
    transforms[1, 0] = 0
    both = plane_sweep(target, lookups, camera, transforms, planes)
    assert torch.equal(both.costs[1], single[1].costs[1])
    seen = torch.stack([~volume.missing[0] for volume in single])
    costs = torch.stack([volume.costs[0] for volume in single]) * seen
    some = seen.any(0)
    expected = (costs.sum(0) / seen.sum(0))[some]
    torch.testing.assert_close(both.costs[0][some], expected)
    assert torch.equal(both.missing[0], ~some) and (seen[0] ^ seen[1]).any()


def test_sampling_is_that_of_images_and_takes_any_number():
    """Bilinear with border values outside, as `sample`; cells without a number are not seen."""
    torch.manual_seed(0)
    lookups = torch.rand(2, 1, 4, *SIZE)
    turn = Motion(torch.tensor([[0.3, 0.4, 0.2]]), torch.tensor([[0.5, 0.1, 0.4]])).matrix()
    camera, poses = CAM2IMG.repeat(2, 1, 1), turn[None].repeat(2, 1, 1, 1)
    rays = back_project(torch.full((2, 1, *SIZE), 2.0), camera)
    grid = project(rays, camera, poses[:, 0], SIZE)
    assert (grid.abs() > 1).any() and (grid.abs() < 1).any()
    pixels = (grid + 1) / 2 * torch.tensor([SIZE[1] - 1, SIZE[0] - 1])
    rows = lookups[:, 0].permute(0, 2, 3, 1).contiguous()
    sampled = cost_volume._sample_rows(rows, pixels[:, None])[:, 0]
    torch.testing.assert_close(
        sampled.permute(0, 3, 1, 2), sample(lookups[:, 0], grid), atol=1e-5, rtol=0
    )
    pixels[0, 0, 0], pixels[0, 0, 1], pixels[0, 0, 2] = torch.nan, torch.inf, -torch.inf
    assert cost_volume._sample_rows(rows, pixels[:, None]).isfinite().all()
    assert not cost_volume._inside(pixels[:, None])[0, 0, 0, :3].any()


@pytest.mark.parametrize('count', [0, 2])
def test_no_view_at_all(count):
    planes = torch.tensor([0.5, 1.0])
    lookups, transforms = torch.rand(1, count, 4, *SIZE), torch.zeros(1, count, 4, 4)
    volume = plane_sweep(torch.rand(1, 4, *SIZE), lookups, CAM2IMG, transforms, planes)
    assert (volume.costs == 0).all() and not volume.confidence.any()
    assert (volume.best_depth() == 0.5).all()


def test_bad_input(plane):
    target, lookups, transform = plane
    planes = torch.tensor([1.0, 2.0])
    with pytest.raises(
        ValueError, match=r"lookups': \(1, 1, 6, 16, 40\).*got.*\(1, 1, 6, 16, 39\)"
    ):
        plane_sweep(target, lookups[..., 1:], CAM2IMG, transform, planes)
    with pytest.raises(ValueError, match='expected finite transforms'):
        plane_sweep(target, lookups, CAM2IMG, transform * torch.nan, planes)
