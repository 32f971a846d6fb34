import math

import cv2
import numpy as np
import pytest

from hybrid_depth.geometry import GroundPlane
from hybrid_depth.geometry.ground_plane_fit import GroundPlaneFit
from hybrid_depth.geometry.vanishing_point import fit_vanishing_point

CAMERA = np.array([[400.0, 0, 299.5], [0, 400.0, 99.5], [0, 0, 1]])
SIZE = (240, 600)
PRIOR = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65))


def lanes(plane, heading=0.05, curve=0.0):
    """Image of white lane markings on grey, and the road."""
    normal = plane.normal.numpy()
    ahead = np.array([math.sin(heading), 0, math.cos(heading)])
    ahead -= normal * (normal @ ahead)
    side = np.cross(normal, ahead)
    image = np.full((SIZE[0] * 4, SIZE[1] * 4), 90, np.uint8)
    for x in (-5, -1.7, 1.7, 5):
        for start in range(4, 40, 6):
            z = np.linspace(start, start + 3, 10)
            middle = x + curve * z**2
            edges = [
                normal * float(plane.height) + ahead * z[:, None] + side * (middle + w)[:, None]
                for w in (-0.08, 0.08)
            ]
            pixels = np.concatenate((edges[0], edges[1][::-1])) @ CAMERA.T
            pixels = (pixels[:, :2] / pixels[:, 2:] * 4 + 1.5) * 16
            cv2.fillPoly(image, [pixels.round().astype(np.int32)], 230, shift=4)
    image = cv2.resize(image, SIZE[::-1], interpolation=cv2.INTER_AREA)
    return image, np.arange(SIZE[0])[:, None].repeat(SIZE[1], 1) > 105


@pytest.mark.parametrize('pitch', [-0.8, 0.0, 1.2])
def test_straight_lanes_give_the_pitch(pitch):
    image, road = lanes(GroundPlane.from_angles(1.6, math.radians(pitch)))
    fit = fit_vanishing_point(image, road, CAMERA, PRIOR)
    assert fit.used >= 5
    assert abs(np.degrees(float(fit.plane.pitch)) - pitch) < 0.12
    assert fit.pitch_std < math.radians(0.2) and fit.roll_std > math.radians(0.9)
    np.testing.assert_allclose(float(fit.plane.height), 1.65, rtol=1e-6)


def test_images_without_lanes_leave_the_prior():
    blank = np.full(SIZE, 90, np.uint8)
    assert fit_vanishing_point(blank, np.ones(SIZE, bool), CAMERA, PRIOR) is PRIOR
    image, road = lanes(GroundPlane.from_angles(1.6))
    assert fit_vanishing_point(image, np.zeros_like(road), CAMERA, PRIOR) is PRIOR
    # lanes whose horizon is many standard deviations from the prior's
    image, road = lanes(GroundPlane.from_angles(1.6, math.radians(6)))
    assert fit_vanishing_point(image, road, CAMERA, PRIOR) is PRIOR


def test_sizes_differ():
    with pytest.raises(ValueError, match='an image and a mask'):
        fit_vanishing_point(np.zeros(SIZE, np.uint8), np.zeros((3, 3), bool), CAMERA, PRIOR)
