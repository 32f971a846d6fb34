import numpy as np
import pytest

from hybrid_depth.robustness.corruptions import (
    IMAGE_CORRUPTIONS,
    corrupt_image,
    fractal_noise,
)

HEIGHT, WIDTH = 180, 320


@pytest.fixture
def image() -> np.ndarray:
    """Smooth scene with edges, dark to light."""
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    smooth = np.stack([u / 2, v, (u + v) / 3], -1)
    smooth[::4] += 60
    smooth[50:100, 100:200] = (200, 60, 30)
    return smooth.astype(np.uint8)


@pytest.mark.parametrize('name', IMAGE_CORRUPTIONS)
def test_equal_for_equal_arguments_and_stronger_with_strength(image, name):
    before = image.copy()
    corrupted = [corrupt_image(image, name, strength) for strength in (1, 2, 3)]
    assert np.array_equal(image, before)
    for strength, result in zip((1, 2, 3), corrupted, strict=True):
        assert result.shape == image.shape and result.dtype == np.uint8
        assert np.array_equal(result, corrupt_image(image, name, strength))
    changes = [np.abs(result.astype(float) - image).mean() for result in corrupted]
    assert 2 < changes[0] < changes[1] < changes[2]


@pytest.mark.parametrize('name', ['motion_blur', 'low_light', 'fog', 'snow', 'noise'])
def test_random_numbers_depend_on_seed_and_image(image, name):
    result = corrupt_image(image, name, 2)
    assert not np.array_equal(result, corrupt_image(image, name, 2, seed=1))
    changed = image.copy()
    changed[0, 0] ^= 1
    other = corrupt_image(changed, name, 2)
    assert (result != other).mean() > 0.1


def test_known_values():
    def value(name: str, strength: int, pixel: tuple[int, int, int]) -> list[int]:
        return corrupt_image(np.full((9, 16, 3), pixel, np.uint8), name, strength)[4, 8].tolist()

    assert value('color_quantization', 1, (255, 100, 7)) == [248, 96, 0]  # 5 bits
    assert value('color_quantization', 3, (255, 100, 33)) == [224, 96, 32]  # 3 bits
    assert value('bright', 2, (100, 50, 0)) == [202, 101, 0]  # V + 0.4, hue and saturation kept
    assert value('bright', 1, (0, 0, 0)) == [51, 51, 51]
    assert value('motion_blur', 3, (10, 20, 30)) == [10, 20, 30]


def test_low_light_keeps_its_share_of_linear_light():
    grey = np.full((200, 200, 3), 204, np.uint8)  # 0.8 of white
    dark = corrupt_image(grey, 'low_light', 2) / 255
    assert dark.mean() == pytest.approx(0.4 * 0.8**2, rel=0.01)
    assert dark.var() == pytest.approx(0.4 * 0.8**2 / 60, rel=0.05)  # shot noise of 60 photons


def test_noise_has_its_deviation():
    grey = np.full((200, 200, 3), 128, np.uint8)
    assert (corrupt_image(grey, 'noise', 1) / 255).std() == pytest.approx(0.08, rel=0.02)


def test_blur_shrinks_with_the_image():
    """A point of a 1600-pixel image is blurred over 30 pixels, of a 160-pixel image over 3."""
    for width, most in ((1600, 32), (160, 5)):
        point = np.zeros((width // 8, width, 3), np.uint8)
        point[width // 16, width // 2] = 255
        lit = np.argwhere(corrupt_image(point, 'motion_blur', 2).max(-1) > 0)
        length = np.linalg.norm(lit.max(0) - lit.min(0))
        assert 0.5 * most < length <= most * 1.2


def test_fog_brightens_what_is_dark_and_lowers_the_contrast(image):
    def edges(pixels: np.ndarray) -> float:
        return np.abs(np.diff(pixels.astype(float), axis=0)).mean()

    foggy = corrupt_image(image, 'fog', 3)
    assert (foggy[image < 40] > 40).mean() > 0.9 and edges(foggy) < 0.4 * edges(image)
    noise = fractal_noise((40, 64), 2.0, np.random.default_rng(0))
    rough = fractal_noise((40, 64), 1.2, np.random.default_rng(0))
    assert noise.min() == 0 and noise.max() == pytest.approx(1)
    assert np.abs(np.diff(noise)).mean() < 0.5 * np.abs(np.diff(rough)).mean()


def test_snow_adds_flakes():
    dark = np.full((90, 160, 3), 40, np.uint8)
    snowy = corrupt_image(dark, 'snow', 1)
    assert (snowy > 200).any() and 0.3 < (snowy < 80).mean() < 1
