import numpy as np
import pytest
from PIL import Image

from hybrid_depth.bev.transforms.resized_crop import resized_crop

RANDOM = np.random.default_rng(0)
NOISE = Image.fromarray(RANDOM.integers(0, 256, (225, 400, 3), np.uint8))


def check(image, size, crop):
    whole = image.resize(size, Image.Resampling.BICUBIC).crop(crop)
    np.testing.assert_array_equal(np.asarray(resized_crop(image, size, crop)), np.asarray(whole))


def test_equals_resize_and_crop_for_any_scale():
    for index in range(90):
        scale = RANDOM.uniform(0.3, 1.4)
        other = scale if index % 3 else RANDOM.uniform(0.3, 1.4)
        width, height = int(NOISE.width * scale), int(NOISE.height * other)
        left, top = RANDOM.integers(-20, 60, 2)
        check(NOISE, (width, height), (left, top, left + RANDOM.integers(1, 250), top + 90))


@pytest.mark.parametrize('size', [(176, 99), (200, 150), (400, 225), (800, 450), (176, 64)])
def test_equals_resize_and_crop_where_rows_are_shared(size):
    for top in range(0, size[1] - 30, 7):
        check(NOISE, size, (0, top, 176, min(top + 64, size[1])))


@pytest.mark.parametrize('crop', [(-30, -20, -5, 40), (200, 0, 260, 64), (0, 99, 176, 163)])
def test_a_crop_outside_of_the_image_is_black(crop):
    check(NOISE, (176, 99), crop)


def test_only_the_rows_of_the_crop_are_resized(monkeypatch):
    resized, original = [], Image.Image.resize
    monkeypatch.setattr(
        Image.Image,
        'resize',
        lambda self, size, *a, **k: resized.append(size) or original(self, size, *a, **k),
    )
    resized_crop(NOISE, (176, 99), (0, 35, 176, 99))  # a quarter of BEVDet's
    (columns, rows), (_, last) = resized
    # 64 of 99 rows of the resized image, and the reach of the kernel
    assert columns == 176 and rows < 225 * 64 / 99 + 8 and last == 66
