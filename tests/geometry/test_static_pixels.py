"""The body of a vehicle in images that the tests draw."""

import cv2
import numpy as np
import pytest

from hybrid_depth.errors import DepthDataError
from hybrid_depth.geometry.static_pixels import find_static_pixels

SIZE = (120, 200)


def street(count=30, noise=2.0, seed=0):
    """Sky above, an even road below with buildings beside it, all different in every image."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        image = np.full(SIZE, 200.0) + random.normal(0, 4)
        scene = random.integers(0, 256, (8, 20)).astype(np.float32)
        image[20:70] = cv2.resize(scene, (200, 50))
        image[70:] = 110 + random.normal(0, 1.5)  # even road, as under clouds
        image[70:, ::9] += random.normal(0, 25, (1, 23))
        yield np.clip(image + random.normal(0, noise, SIZE), 0, 255).astype(np.uint8)


def with_bonnet(image):
    image = image.copy()
    cv2.ellipse(image, (100, 130), (80, 40), 0, 0, 360, 40, -1)
    return image


def test_a_bonnet_is_found_with_its_outline():
    mask = find_static_pixels(with_bonnet(x) for x in street())
    truth = with_bonnet(np.zeros(SIZE, np.uint8)) > 0
    assert mask[truth].mean() > 0.97
    assert (mask & ~truth).sum() < 0.15 * truth.sum()  # its rim
    assert not mask[:70].any()


def test_an_even_road_and_the_sky_are_no_body():
    assert not find_static_pixels(street()).any()


def test_a_shadow_that_stays_for_most_of_the_images_is_no_body():
    """Of a truck beside the vehicle, as in the KITTI drive of the shared data."""
    images = list(street())
    for image in images[:21]:
        image[80:, 150:] = 40
    assert not find_static_pixels(images).any()


def test_images_that_do_not_suffice():
    with pytest.raises(DepthDataError, match='12 or more images'):
        find_static_pixels(street(5))
    with pytest.raises(DepthDataError, match='of sizes'):
        find_static_pixels([*street(12), np.zeros((4, 4), np.uint8)])
    standing = [next(street(noise=0.5))] * 15
    with pytest.raises(DepthDataError, match='from a moving vehicle'):
        find_static_pixels(standing)
