import math

import numpy as np
import pytest

from hybrid_depth.geometry import GroundPlane
from hybrid_depth.geometry.ground_plane_fit import GroundPlaneFit
from hybrid_depth.geometry.ground_plane_motion import fit_ground_motion
from tests.geometry.ray_scene import cast, render

CAMERA = np.array([[350.0, 0, 199.5], [0, 350.0, 89.5], [0, 0, 1]])
SIZE = (200, 400)
PRIOR = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65))
TRUE = GroundPlane.from_angles(1.70, math.radians(0.8), math.radians(-1.1))
# houses on both sides and a wall far ahead
BOXES = [
    *(((x, x + 4), (0, 6), (z, z + 4)) for x in (-9, 5) for z in (8, 16, 26)),
    ((-60, 60), (0, 12), (60, 62)),
]


@pytest.fixture(scope='module')
def frames():
    """Images at 0, 1.5 m behind and 1.5 m ahead, pitching by 0.3 degrees, and the road."""
    others = [
        render(
            CAMERA, SIZE, GroundPlane.from_angles(1.70, math.radians(pitch), TRUE.roll), BOXES, z
        )
        for pitch, z in ((1.1, -1.5), (0.5, 1.5))
    ]
    image = render(CAMERA, SIZE, TRUE, BOXES, 0.0)
    return image, others, cast(CAMERA, SIZE, TRUE, BOXES)[1] == -1


def angles(plane):
    return np.array([plane.height, plane.pitch, plane.roll])


def test_known_distance_gives_height_pitch_and_roll(frames):
    image, others, road = frames
    fit = fit_ground_motion(image, others, road, CAMERA, PRIOR, [1.5, 1.5])
    error = np.abs(angles(fit.plane) - angles(TRUE))
    # a bend of the road, which is not excluded, looks like 0.2 degrees of pitch
    assert error[0] < 0.02 and (np.degrees(error[1:]) < 0.25).all()
    assert fit.height_std < PRIOR.height_std and fit.pitch_std < PRIOR.pitch_std / 3
    assert fit.used > 100


def test_unknown_distance_gives_the_attitude(frames):
    image, others, road = frames
    fit = fit_ground_motion(image, others, road, CAMERA, PRIOR)
    error = np.abs(angles(fit.plane) - angles(TRUE))
    assert (np.degrees(error[1:]) < 0.25).all()
    # the height is that of the calibration but for the bend of the road
    assert abs(float(fit.plane.height) - 1.65) < 0.04 and fit.height_std > PRIOR.height_std


def test_uncertainty_covers_the_error():
    """Normalised errors of pitch and roll over planes with another texture and noise each."""
    scores = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        pitch, roll = rng.normal(0, np.radians([0.5, 0.8]))
        planes = [GroundPlane.from_angles(1.65, pitch + x, roll) for x in (0, 0.003, -0.003)]
        image, *others = (
            render(CAMERA, SIZE, plane, BOXES, ahead, seed) + rng.normal(0, 4, SIZE)
            for plane, ahead in zip(planes, (0, -1.5, 1.5), strict=True)
        )
        image, *others = (x.clip(0, 255).astype(np.uint8) for x in (image, *others))
        road = cast(CAMERA, SIZE, planes[0], BOXES)[1] == -1
        fit = fit_ground_motion(image, others, road, CAMERA, PRIOR)
        assert fit.pitch_std < PRIOR.pitch_std / 2 and fit.roll_std < PRIOR.roll_std / 2
        error = angles(fit.plane)[1:] - (pitch, roll)
        scores.append(error / (fit.pitch_std, fit.roll_std))
    assert 0.2 < np.sqrt(np.mean(np.square(scores))) < 1.7


def test_road_that_the_images_do_not_show_stays_as_expected(frames):
    """A strip of the road, 6 m long and 1 m wide, says little of its slopes, and says so."""
    image, others, _ = frames
    depth, hit = cast(CAMERA, SIZE, TRUE, BOXES)
    side = (np.arange(SIZE[1]) - CAMERA[0, 2]) / CAMERA[0, 0] * np.where(hit == -1, depth, np.inf)
    strip = (hit == -1) & (depth < 11) & (np.abs(side) < 0.8)
    fit = fit_ground_motion(image, others, strip, CAMERA, PRIOR)
    assert fit.used and fit.roll_std > 0.25 * PRIOR.roll_std
    error = np.abs(angles(fit.plane) - angles(TRUE))[1:]
    assert (error < 3 * np.array([fit.pitch_std, fit.roll_std])).all()


def test_car_ahead_and_its_shadow_in_the_mask(frames):
    """What moves with the camera, in a mask that takes it for road, is left out."""
    image, others, road = frames
    image, others = image.copy(), [x.copy() for x in others]
    block = np.random.default_rng(0).integers(0, 256, (60, 90)).astype(np.uint8)
    for x in (image, *others):
        x[100:160, 150:240] = block
    fit = fit_ground_motion(image, others, road, CAMERA, PRIOR)
    error = np.abs(angles(fit.plane) - angles(TRUE))
    assert (np.degrees(error[1:]) < 0.3).all()


def test_moving_cars_are_left_out(frames):
    """A wall that moves with the camera is no part of the motion."""
    image, others, road = frames
    moved = np.concatenate(others + [image], 1)
    assert moved.shape[1] == 3 * SIZE[1]
    for other in (image, *others):
        other[40:90, 120:280] = image[40:90, 120:280]
    static = np.ones(SIZE, bool)
    static[38:92, 118:282] = False
    fit = fit_ground_motion(image, others, road & static, CAMERA, PRIOR, [1.5, 1.5], static)
    assert np.degrees(np.abs(angles(fit.plane) - angles(TRUE))[1:]).max() < 0.3


def test_standing_blank_and_roadless_images_leave_the_prior(frames):
    image, others, road = frames
    assert fit_ground_motion(image, [image], road, CAMERA, PRIOR) is PRIOR
    blank = np.full_like(image, 128)
    assert fit_ground_motion(blank, [blank], road, CAMERA, PRIOR) is PRIOR
    assert fit_ground_motion(image, others, np.zeros_like(road), CAMERA, PRIOR) is PRIOR
    assert fit_ground_motion(image, [], road, CAMERA, PRIOR) is PRIOR
    assert fit_ground_motion(image, others, road, CAMERA, PRIOR, [0.0, 0.0]) is PRIOR


@pytest.mark.parametrize('distances', [[1.5], [1.5, math.nan], [-1.0, 1.0]])
def test_bad_distances(frames, distances):
    image, others, road = frames
    with pytest.raises(ValueError, match='one finite distance'):
        fit_ground_motion(image, others, road, CAMERA, PRIOR, distances)


def test_sizes_differ(frames):
    image, others, road = frames
    with pytest.raises(ValueError, match='of one size'):
        fit_ground_motion(image, others, road[1:], CAMERA, PRIOR)
