import numpy as np
import pytest

from hybrid_depth.geometry import GroundPlane
from hybrid_depth.geometry.camera_motion import CameraMotion
from hybrid_depth.geometry.motion_length import search_length
from tests.geometry.ray_scene import cast, render

CAMERA = np.array([[350.0, 0, 199.5], [0, 350.0, 89.5], [0, 0, 1]])
SIZE = (200, 400)
PLANE = GroundPlane.from_angles(1.65)
NONE = (np.zeros((0, 2)),) * 2


@pytest.mark.parametrize('ahead', [-2.0, 0.6])
def test_length_from_texture_with_a_car_that_moves_along(ahead):
    image, other = (render(CAMERA, SIZE, PLANE, [], x) for x in (0, ahead))
    for x in (image, other):
        x[95:150, 120:300] = 255 * (np.arange(180) // 20 % 2)  # more contrast than the road
    motion = CameraMotion(CAMERA, np.eye(3), np.array([0, 0, -np.sign(ahead)]), NONE)
    road = cast(CAMERA, SIZE, PLANE)[1] == -1
    found = search_length(motion, image, other, road, PLANE.inverse.numpy())
    np.testing.assert_allclose(found.translation, [0, 0, -ahead], rtol=0.06, atol=1e-9)


def test_no_texture_keeps_the_motion():
    motion = CameraMotion(CAMERA, np.eye(3), np.array([0, 0, 1.0]), NONE)
    blank = np.full(SIZE, 128, np.uint8)
    found = search_length(motion, blank, blank, blank > 0, PLANE.inverse.numpy())
    assert found is motion
