"""Exact and noisy corners of a bent road, from motions that follow it."""

import cv2
import numpy as np

from hybrid_depth.geometry import GroundPlane, GroundPlaneFit
from hybrid_depth.geometry.camera_motion import CameraMotion
from hybrid_depth.geometry.feature_tracks import project
from hybrid_depth.geometry.road_adjustment import adjust
from hybrid_depth.geometry.road_surface import height_change, inverse_depth, nearest_plane

CAMERA = np.array([[700.0, 0, 600], [0, 700.0, 170], [0, 0, 1]])
PRIOR = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65))
TRUE = np.concatenate(
    (GroundPlane.from_angles(1.65, 0.006, -0.012).inverse.numpy(), [1.2e-4, 1.5e-4])
)


def motions(noise=0.0, seed=0, shift=0.0):
    """Four motions from TRUE that are 0.02 m and 0.1 degrees off, with their corners."""
    rng = np.random.default_rng(seed)
    x, z = rng.uniform(-4, 4, 300), rng.uniform(6, 28, 300)
    y = (1 - TRUE[0] * x - TRUE[2] * z - TRUE[3] * z**2 - TRUE[4] * x * z) / TRUE[1]
    road = np.stack((x, y, z), 1)
    scene = np.stack((rng.uniform(-20, 20, 200), rng.uniform(-9, 0, 200), rng.uniform(8, 60, 200)))
    found = []
    for ahead in (-3.0, -1.5, 1.5, 3.0):
        centre = np.array([0.02 * ahead, 0, ahead])
        centre[1] = -height_change(TRUE, centre) / TRUE[1]
        turn = rng.normal(0, 0.004, 3)
        rotation = cv2.Rodrigues(turn)[0]
        translation = -rotation @ centre
        pairs = []
        for points in (road, scene.T):
            second = points @ rotation.T + translation
            ends = [project(CAMERA, p[:, :2] / p[:, 2:]) for p in (points, second)]
            pairs.append([x + rng.normal(0, noise, x.shape) for x in ends])
        pairs[1][1][:40] += shift  # outliers on the road
        pairs[0][1][:40] += shift
        off = cv2.Rodrigues(rng.normal(0, 0.001, 3))[0] @ rotation
        found.append(CameraMotion(CAMERA, off, translation * 1.02, pairs[1], pairs[0]))
    return found


def test_exact_corners_give_the_road_and_the_motions():
    start = motions()
    found = adjust(PRIOR, start)
    # the prior pulls a little: the residuals have a least deviation
    rays = np.array([[x, y, 1.0] for x in (-0.2, 0, 0.2) for y in (0.07, 0.15, 0.25)])
    np.testing.assert_allclose(
        inverse_depth(found.surface, rays), inverse_depth(TRUE, rays), rtol=0.01
    )
    for before, after in zip(start, found.motions, strict=True):
        np.testing.assert_allclose(after.translation, before.translation / 1.02, atol=0.02)


def test_errors_are_as_large_as_their_deviations():
    true, scores = GroundPlaneFit(nearest_plane(TRUE)[0], PRIOR.covariance).plane, []
    for seed in range(12):
        fit = adjust(PRIOR, motions(0.15, seed, shift=5.0)).fit
        error = [float(fit.plane.pitch - true.pitch), float(fit.plane.roll - true.roll)]
        scores.append(np.array(error) / (fit.pitch_std, fit.roll_std))
        assert fit.pitch_std < PRIOR.pitch_std / 3 and fit.roll_std < PRIOR.roll_std / 3
    assert 0.2 < np.sqrt(np.mean(np.square(scores))) < 1.5


def test_a_road_that_no_vehicle_meets_leaves_the_prior():
    steep = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65, 0.12))
    found = adjust(steep, motions())
    assert found.fit is steep
