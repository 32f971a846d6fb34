"""Metric scale from the ground plane, LiDAR and ego motion."""

import pytest
import torch

from hybrid_depth.geometry import cell_pixels, ground_plane_depth
from hybrid_depth.geometry.depth_scale import GroundPlaneScale, lidar_scale, motion_scale
from tests.bev.depth_nets.test_semantics import forward_rig

SIZE = (32, 64)
TRUE = torch.tensor([3.0, 5.4])


@pytest.fixture
def plane() -> torch.Tensor:
    """(2, 32, 64) of a camera 1.5 m above the ground, twice."""
    depth = ground_plane_depth(cell_pixels(SIZE, SIZE), forward_rig(), max_depth=80.0)[0]
    return depth.repeat(2, 1, 1)


def scene(plane: torch.Tensor) -> torch.Tensor:
    """Street with a wall at 30 m and a truck 6 m ahead over a third of the width."""
    depth = torch.where(plane > 0, plane, 30.0).clamp(max=30.0)
    truck = depth[:, :, 10:31]
    depth[:, :, 10:31] = truck.clamp(max=6.0)
    return depth


def test_ground_determines_the_scale(plane):
    noise = 1 + 0.01 * torch.randn(plane.shape, generator=torch.Generator().manual_seed(0))
    estimate = GroundPlaneScale()(scene(plane) * noise / TRUE[:, None, None], plane)
    torch.testing.assert_close(estimate.scale, TRUE.double(), rtol=0.01, atol=0)
    assert estimate.valid.all() and (estimate.spread < 0.02).all()
    assert (estimate.share > 0.5).all() and (estimate.share < 0.95).all()
    metres = estimate.apply(scene(plane) / TRUE[:, None, None])
    torch.testing.assert_close(metres, scene(plane), rtol=0.01, atol=0)


def test_ground_scale_is_robust_where_a_median_is_not(plane):
    """A truck occludes most of the ground; the visible rest determines the scale."""
    depth = torch.where(plane > 0, plane, 30.0)
    depth[:, :, :40] = depth[:, :, :40].clamp(max=3.3)
    votes = (plane > 0) & (plane <= 20)
    assert (plane / depth)[votes].median() > 1.1
    assert (GroundPlaneScale()(depth, plane).scale - 1).abs().max() < 0.01


def test_scale_is_nan_without_evidence(plane):
    wall = torch.full_like(plane, 5.0)  # in front of the camera: no ratio is frequent
    noise = torch.rand(plane.shape, generator=torch.Generator().manual_seed(0)) * 20 + 1
    for depth in (wall, noise, torch.zeros_like(plane)):
        estimate = GroundPlaneScale()(depth, plane)
        assert not estimate.valid.any() and estimate.spread.isnan().all()
        assert (estimate.apply(depth) == 0).all()
    nothing = GroundPlaneScale()(scene(plane), torch.zeros_like(plane))  # camera faces the sky
    assert not nothing.valid.any()


def test_ratios_without_a_peak_are_invalid(plane):
    """Ratios evenly spread between -10 % and +10 %: enough inliers, but no peak."""
    even = torch.linspace(-0.1, 0.1, plane[0].numel()).exp().view(1, *SIZE)
    depth = torch.where(plane > 0, plane, 30.0) * even[:, :, torch.randperm(SIZE[1])]
    estimate = GroundPlaneScale()(depth, plane)
    assert not estimate.valid.any() and (estimate.share > 0.4).all()
    tolerant = GroundPlaneScale(max_spread=0.05)(depth, plane)
    assert tolerant.valid.all()
    # of an even spread up to the tolerance, the median is half of it
    torch.testing.assert_close(tolerant.spread, torch.full((2,), 0.025).double(), rtol=0.2, atol=0)


@pytest.mark.parametrize(
    ('right', 'options', 'valid'),
    [
        (90, dict(min_share=0.0), False),
        (110, dict(min_share=0.0), True),
        (110, dict(), False),  # a tenth of the candidates
        (300, dict(), True),
    ],
)
def test_smallest_number_and_fraction_of_inliers(right, options, valid):
    """Some of a thousand candidates have the ratio 2, the others different ones from 2.5 to 25."""
    plane = torch.full((1, 10, 100), 10.0)
    depth = 10 / torch.logspace(0.4, 1.4, 1000)
    depth[:right] = 5.0
    assert GroundPlaneScale(**options)(depth.view_as(plane), plane).valid == valid


def test_ground_beyond_max_depth_is_ignored(plane):
    depth = torch.where(plane > 9, plane / 3, plane / 2)
    depth[:, 22:, 20:] = 0  # so that the far ground has more pixels
    for farthest, scale in ((9.0, 2.0), (60.0, 3.0)):
        found = GroundPlaneScale(max_depth=farthest)(depth, plane)
        torch.testing.assert_close(found.scale, torch.full((2,), scale).double())


def test_ground_mask(plane):
    depth = torch.where(plane > 0, plane, 30.0)
    depth[:, :, :50] = 2 * depth[:, :, :50]  # most of the image follows another plane
    mask = torch.zeros_like(plane, dtype=torch.bool)
    mask[:, :, 50:] = True
    assert (GroundPlaneScale()(depth, plane, mask).scale - 1).abs().max() < 0.01
    assert (GroundPlaneScale()(depth, plane).scale - 0.5).abs().max() < 0.01


def test_sizes_must_be_equal(plane):
    with pytest.raises(ValueError, match='one size'):
        GroundPlaneScale()(plane, plane[:, :-1])


def test_lidar_scale(plane):
    lidar = torch.where(torch.rand(plane.shape) < 0.1, scene(plane), 0.0)
    estimate = lidar_scale(scene(plane) / TRUE[:, None, None], lidar)
    torch.testing.assert_close(estimate.scale, TRUE.double(), rtol=1e-5, atol=0)
    assert (estimate.spread < 1e-5).all()
    assert not lidar_scale(scene(plane), torch.zeros_like(plane)).valid.any()


def test_motion_scale():
    driven = torch.tensor([[0.0, 0, 1.2], [0.0, 0, 0.1]])
    estimate = motion_scale(torch.tensor([[0.0, 0, 0.4], [0.0, 0, 0.4]]), driven)
    torch.testing.assert_close(estimate.scale[0], torch.tensor(3.0).double())
    assert estimate.valid.tolist() == [True, False]  # hardly moved


def test_spread_of_a_motion_is_one_minus_the_cosine():
    estimate = motion_scale(torch.tensor([[0.0, 0.6, 0.8]]), torch.tensor([[0.0, 0, 2.0]]))
    torch.testing.assert_close(estimate.scale, torch.tensor([2.0]).double())
    torch.testing.assert_close(estimate.spread, torch.tensor([0.2]).double(), rtol=1e-6, atol=1e-7)


def test_spread_and_share_of_lidar():
    """Ratios 8, 10, 10, 12 and 5 around their median, where four of eight pixels are measured."""
    depth = torch.tensor([[[1.0, 1, 1, 1, 1, 2, 0, 3]]])
    lidar = torch.tensor([[[8.0, 10, 10, 12, 0, 10, 7, 0]]])
    estimate = lidar_scale(depth, lidar)
    assert estimate.scale.tolist() == [10.0] and estimate.share.tolist() == [5 / 8]
    torch.testing.assert_close(estimate.spread, torch.tensor([0.2]).double())


def test_lidar_scale_is_a_ratio_of_medians():
    """As in the evaluation: 10 / 2, where the median of the ratios 10, 5 and 20 is 10."""
    depth, lidar = torch.tensor([[[1.0, 2, 3]]]), torch.tensor([[[10.0, 10, 60]]])
    assert lidar_scale(depth, lidar).scale.tolist() == [5.0]
