"""Undistorted images against an independent projection of the same scene."""

import numpy as np
import pytest

from hybrid_depth.rigs.lens import Lens, undistortion
from tests.borders.refusal import refused
from tests.rigs.distortion import rays_of

SIZE = (160, 120)
CAM2IMG = np.array([[80.0, 0, 82.0], [0, 78.0, 57.0], [0, 0, 1]])
LENSES = [
    Lens('radial', (-0.25, 0.05, 0.002, -0.001, 0.0)),
    Lens('radial', (0.1, 0.02, 0.0, 0.0)),
    Lens('radial', (0.3, 0.1, 0.001, 0.0, 0.01, 0.35, 0.12, 0.02)),
    Lens('fisheye', (0.05, -0.01, 0.002, 0.0)),
]


def texture(x, y):
    """Colour of rays, smooth; also of a wall at z = 1."""
    return np.stack([np.sin(5 * x) + 1, np.cos(4 * y) + 1, np.sin(3 * (x + y)) + 1], -1) * 110


def distorted_image(lens):
    return texture(*np.moveaxis(rays_of(lens, CAM2IMG, SIZE), -1, 0)).astype(np.uint8)


@pytest.mark.parametrize('lens', LENSES)
def test_pixels_are_those_of_a_pinhole_camera(lens):
    found = undistortion(lens, CAM2IMG, SIZE)
    image = found(distorted_image(lens))
    assert image.shape == (*found.size[::-1], 3)
    u, v = np.meshgrid(np.arange(found.size[0]), np.arange(found.size[1]))
    rays = np.stack([u, v, np.ones_like(u)], -1) @ np.linalg.inv(found.cam2img).T
    expected = texture(rays[..., 0], rays[..., 1])
    difference = np.abs(image - expected)
    assert difference.max() < 3  # 1 of rounding, and interpolation
    assert found.size[0] <= SIZE[0] and found.size[1] <= SIZE[1]


def test_most_of_the_angle_is_kept():
    """A fisheye of 115 degrees across: more than the 90 degrees of a crop at the same focal."""
    found = undistortion(Lens('fisheye', (0.0, 0.0, 0.0, 0.0)), CAM2IMG, SIZE)
    left = found.cam2img[0, 2] / found.cam2img[0, 0]
    right = (found.size[0] - 1 - found.cam2img[0, 2]) / found.cam2img[0, 0]
    assert np.degrees(np.arctan(left) + np.arctan(right)) > 100


def test_a_polynomial_that_folds_is_cut_before():
    """Strong k1: rays far out are mapped into the image again, and must not be used."""
    lens = Lens('radial', (-0.4, 0.0, 0.0, 0.0, 0.0))
    found = undistortion(lens, CAM2IMG, SIZE)
    corner = np.abs(np.linalg.inv(found.cam2img) @ [found.size[0] - 1, found.size[1] - 1, 1])
    assert np.hypot(*corner[:2]) < 1 / np.sqrt(1.2)  # where r + k1 r^3 has its maximum


def test_coefficients_of_another_order_are_refused():
    with refused('order', 'radial or fisheye'):
        undistortion(Lens('radial', (-900.0, 0.0, 0.0, 0.0)), CAM2IMG, SIZE)
    with refused('radial of 4, 5 or 8', 'radial of 3'):
        Lens('radial', (1.0, 2.0, 3.0))
