import numpy as np

from hybrid_depth.geometry import GroundPlane, GroundPlaneFit
from hybrid_depth.geometry.road_surface import (
    FAR,
    NEAR,
    height_change,
    inverse_depth,
    nearest_plane,
    nearest_prior,
    surface_prior,
)

PRIOR = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65, 0.01, -0.02))
SURFACE = np.concatenate((PRIOR.inverse, [1.5e-4, -2e-4]))


def points(count=4000):
    """(N, 3) on the bent surface, equally over range and width."""
    rng = np.random.default_rng(0)
    x, z = rng.uniform(-4, 4, count), rng.uniform(NEAR, FAR, count)
    q, bend, twist = SURFACE[:3], *SURFACE[3:]
    y = (1 - q[0] * x - q[2] * z - bend * z**2 - twist * x * z) / q[1]
    return np.stack((x, y, z), 1)


def test_depth_of_rays_to_a_bent_surface():
    road = points()
    np.testing.assert_allclose(
        inverse_depth(SURFACE, road / road[:, 2:]), 1 / road[:, 2], rtol=1e-9
    )


def test_nearest_plane_is_that_of_least_squares():
    road = points(200_000)
    expected = np.linalg.lstsq(road, np.ones(len(road)), rcond=None)[0]
    plane, derivative = nearest_plane(SURFACE)
    # the heights of the points differ from those of the plane, which is second order
    np.testing.assert_allclose(plane, expected, atol=4e-4)
    assert np.abs(expected - PRIOR.inverse).max() > 4e-3  # the bend matters
    for index, step in enumerate(np.eye(5) * 1e-8):
        change = (nearest_plane(SURFACE + step)[0] - plane) / 1e-8
        np.testing.assert_allclose(derivative[:, index], change, atol=1e-4, rtol=1e-5)


def test_prior_is_unbent_and_has_the_plane_of_the_calibration():
    surface, _ = surface_prior(PRIOR)
    np.testing.assert_array_equal(surface, [*PRIOR.inverse, 0, 0])
    spread = nearest_prior(PRIOR)
    np.testing.assert_allclose(spread.inverse, PRIOR.inverse)
    assert spread.used == 0
    # a curvature of 1 / 2000 m: 0.5 degrees of pitch, 6 cm of height
    np.testing.assert_allclose(spread.pitch_std, np.hypot(PRIOR.pitch_std, 0.0084), rtol=0.05)
    np.testing.assert_allclose(spread.height_std, np.hypot(PRIOR.height_std, 0.058), rtol=0.1)


def test_a_camera_that_follows_the_road_keeps_its_height():
    ahead = np.array([0.5, 0.0, 3.0])
    above = ahead.copy()
    above[1] = -(SURFACE[:3] @ ahead + SURFACE[3] * 9 + SURFACE[4] * 1.5) / SURFACE[1]
    assert abs(height_change(SURFACE, above)) < 1e-12
    above[1] += 0.05  # down
    assert abs(height_change(SURFACE, above) * 1.65 - 0.05) < 1e-3
