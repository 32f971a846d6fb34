import math

import numpy as np
import pytest
import torch

from hybrid_depth.geometry import GroundPlane
from hybrid_depth.geometry.ground_plane_fit import (
    GroundPlaneFit,
    fit_ground_depth,
    fit_ground_points,
)
from tests.geometry.ray_scene import cast

CAMERA = np.array([[300.0, 0, 199.5], [0, 300.0, 99.5], [0, 0, 1]])
SIZE = (200, 400)
PRIOR = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65))
TRUE = GroundPlane.from_angles(1.70, math.radians(0.8), math.radians(-1.1))


def angles(fit):
    plane = fit.plane
    return np.array([plane.height, plane.pitch, plane.roll])


def deviations(fit):
    return np.array([fit.height_std, fit.pitch_std, fit.roll_std])


def road(rng, noise=0.02, off=0.1):
    """Points of a LiDAR on the plane, most of them near, with others above it."""
    depth, _ = cast(CAMERA, SIZE, TRUE)
    v, u = np.nonzero(depth < 30)
    pick = rng.integers(0, len(v), 3000)
    d = np.stack((u[pick], v[pick], np.ones(3000)), -1) @ np.linalg.inv(CAMERA).T
    # a LiDAR's error is that of the range
    points = d * (depth[v[pick], u[pick]] + rng.normal(0, noise, 3000))[:, None]
    above = rng.random(3000) < off
    points[above] -= TRUE.normal.numpy() * rng.uniform(0.1, 1.5, (above.sum(), 1))
    return points


def test_angles_and_inverse_of_a_plane():
    plane = GroundPlane.from_angles(1.7, 0.1, -0.2)
    assert abs(float(plane.pitch) - 0.1) < 1e-12 and abs(float(plane.roll) + 0.2) < 1e-12
    back = GroundPlane.from_inverse(plane.inverse)
    torch.testing.assert_close(back.normal, plane.normal)
    torch.testing.assert_close(back.height, plane.height)
    # a camera that looks down sees the ground in the middle of its image, one whose right side is
    # low sees it nearer on the right
    assert plane.normal[2] > 0
    rolled = GroundPlane.from_angles(1.7, 0, 0.2)
    rays = torch.tensor([[[0.5, 0.5], [-0.5, 0.5]]]).double()
    right, left = rolled.depth(rays, torch.eye(3).double(), 80.0)[0]
    assert right < left


def test_prior_has_the_deviations_given():
    plane = GroundPlane.from_angles(1.5, 0.2, 0.1)
    prior = GroundPlaneFit.from_calibration(plane, 0.04, 0.01, 0.02)
    np.testing.assert_allclose(deviations(prior), [0.04, 0.01, 0.02])
    np.testing.assert_allclose(angles(prior), [1.5, 0.2, 0.1])


def test_lidar_points_with_outliers():
    fit = fit_ground_points(road(np.random.default_rng(0)), PRIOR)
    error = np.abs(angles(fit) - angles_of(TRUE))
    assert error[0] < 0.01 and (np.degrees(error[1:]) < 0.05).all()
    assert 2000 < fit.used < 2900
    assert (deviations(fit) < deviations(PRIOR) / 4).all()


def angles_of(plane):
    return np.array([plane.height, plane.pitch, plane.roll])


def test_uncertainty_covers_the_error():
    """Normalised squared errors over 40 trials average to about their 3 dimensions."""
    scores = []
    for seed in range(40):
        points = road(np.random.default_rng(seed), noise=0.05, off=0.0)
        fit = fit_ground_points(points, PRIOR)
        error = fit.inverse - TRUE.inverse.numpy()
        scores.append(error @ np.linalg.solve(fit.covariance, error))
    assert 1.0 < np.mean(scores) < 9.0


def test_few_or_contradicting_points_leave_the_prior():
    points = road(np.random.default_rng(0))
    assert fit_ground_points(points[:20], PRIOR) is PRIOR
    assert fit_ground_points(np.full((500, 3), np.nan), PRIOR) is PRIOR
    wall = np.random.default_rng(0).uniform((-5, -3, 9), (5, 1, 9.2), (3000, 3))
    assert np.abs(fit_ground_points(wall, PRIOR).inverse - PRIOR.inverse).max() < 0.03
    high = points * 1.3  # a height of 2.2 m is 11 standard deviations away
    assert fit_ground_points(high, PRIOR, tolerance=1.0) is PRIOR


@pytest.mark.parametrize('scale', [1.0, 0.04])
def test_depth_network_with_and_without_scale(scale):
    depth, hit = cast(CAMERA, SIZE, TRUE, [((-1, 1), (0, 1.5), (9, 12))])
    depth = np.where(np.isfinite(depth), depth, 0)
    noise = np.random.default_rng(0).normal(1, 0.02, SIZE)
    fit = fit_ground_depth(depth * noise * scale, hit == -1, CAMERA, PRIOR, metric=scale == 1)
    error = np.abs(angles(fit) - angles_of(TRUE))
    assert (np.degrees(error[1:]) < 0.1).all()
    if scale == 1:
        assert error[0] < 0.01
    else:
        np.testing.assert_allclose([fit.plane.height, fit.height_std], [1.65, 0.05], rtol=1e-6)


def test_direction_fixes_the_pitch_only():
    along = np.array([0.05, -math.sin(math.radians(1.2)), 1.0])
    fit = PRIOR.update_direction(along, math.radians(0.05), 10)
    assert abs(np.degrees(float(fit.plane.pitch)) - 1.2) < 0.08
    np.testing.assert_allclose(float(fit.plane.height), 1.65, rtol=1e-6)
    assert fit.pitch_std < math.radians(0.1) and fit.roll_std > math.radians(0.9)
    assert PRIOR.update_direction(np.array([0, -0.2, 1.0]), math.radians(0.05), 10) is PRIOR


@pytest.mark.parametrize(
    'call',
    [
        lambda: GroundPlane.from_angles(0.0),
        lambda: GroundPlane.from_angles(-1.6),
        lambda: GroundPlane.from_angles(1.6, math.nan),
        lambda: GroundPlaneFit.from_calibration(PRIOR.plane, height_std=0.0),
        lambda: GroundPlaneFit.from_calibration(
            GroundPlane(torch.tensor([0, 1.0, 0]), torch.tensor(-1.0))
        ),
        lambda: fit_ground_points(np.zeros((5, 2)), PRIOR),
        lambda: GroundPlane(torch.zeros(3), torch.zeros(1)),
    ],
)
def test_bad_input(call):
    with pytest.raises(ValueError, match='expected'):
        call()
