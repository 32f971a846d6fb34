"""Image corruptions in three strengths, deterministic per image.

Strengths: docs/reference/robustness.md, "Corruptions". The operations are this project's own.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import cv2
import numpy as np

#: Width of the images that the lengths below are given for, pixels (nuScenes).
REFERENCE_WIDTH = 1600
STRENGTHS = (1, 2, 3)

_BITS = (5, 4, 3)  # per channel
_MOTION = ((15, 5), (15, 12), (20, 15))  # half length and standard deviation, pixels
_BRIGHTER = (0.2, 0.4, 0.5)  # added to the value of HSV
_EXPOSURE = (0.5, 0.4, 0.3)  # share of the light
_FULL_WELL = 60.0  # photons of a white pixel: the shot noise of low light
_FOG = ((2.0, 2.0), (2.5, 1.5), (3.0, 1.4))  # thickness, decay of the amplitude per octave
# mean, standard deviation and size (pixels) of flakes, threshold, blur as above, share of the image
_SNOW = (
    (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
    (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
    (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
)
_NOISE = (0.08, 0.12, 0.18)  # standard deviation
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def corrupt_image(image: np.ndarray, name: str, strength: int, seed: int = 0) -> np.ndarray:
    """Image with one corruption, equal for equal arguments.

    The random numbers depend on the seed, the corruption and the image, not on the strength: a
    stronger corruption is the same pattern, stronger.

    Args:
        image: (H, W, 3) uint8 RGB. Lengths of blur and flakes are relative to its width.
        name: one of `IMAGE_CORRUPTIONS`.
        strength: 1, 2 or 3.
        seed: seed of the random numbers.

    Returns:
        (H, W, 3) uint8.

    Example:
        >>> grey = np.full((9, 16, 3), 128, np.uint8)
        >>> corrupt_image(grey, 'bright', 1)[0, 0].tolist()
        [179, 179, 179]
    """
    generator = image_generator(image, name, seed)
    values = IMAGE_CORRUPTIONS[name](image.astype(np.float32) / 255, strength - 1, generator)
    return np.round(values.clip(0, 1) * 255).astype(np.uint8)


def image_generator(image: np.ndarray, name: str, seed: int) -> np.random.Generator:
    """Random numbers of an image, by its pixels: equal on other machines and in other folders."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), zlib.crc32(image.tobytes())])


def _color_quantization(image: np.ndarray, level: int, generator: np.random.Generator):
    dropped = 8 - _BITS[level]
    return (np.round(image * 255).astype(np.uint8) >> dropped << dropped).astype(np.float32) / 255


def _motion_blur(image: np.ndarray, level: int, generator: np.random.Generator) -> np.ndarray:
    angle = np.radians(generator.uniform(-45, 45))
    return _blurred(image, *_MOTION[level], angle, _unit(image))


def _bright(image: np.ndarray, level: int, generator: np.random.Generator) -> np.ndarray:
    value = image.max(-1, keepdims=True)
    brighter = np.minimum(value + _BRIGHTER[level], 1)
    scaled = image * (brighter / np.maximum(value, 1e-6))  # keeps hue and saturation
    return np.where(value > 0, scaled, brighter)


def _low_light(image: np.ndarray, level: int, generator: np.random.Generator) -> np.ndarray:
    photons = _FULL_WELL * _EXPOSURE[level] * image**2  # display values to linear light
    return generator.poisson(photons).astype(np.float32) / _FULL_WELL


def _fog(image: np.ndarray, level: int, generator: np.random.Generator) -> np.ndarray:
    thickness, decay = _FOG[level]
    brightest = image.max()
    fog = thickness * fractal_noise(image.shape[:2], decay, generator)[..., None]
    return (image + fog) * (brightest / (brightest + thickness))


def _snow(image: np.ndarray, level: int, generator: np.random.Generator) -> np.ndarray:
    mean, deviation, size, threshold, radius, sigma, share = _SNOW[level]
    (height, width), unit = image.shape[:2], _unit(image)
    cell = max(size * unit, 1)
    grid = (max(round(height / cell), 1), max(round(width / cell), 1))
    flakes = generator.normal(mean, deviation, grid).astype(np.float32)
    flakes = cv2.resize(flakes, (width, height), interpolation=cv2.INTER_LINEAR)
    flakes = np.where(flakes < threshold, 0, flakes.clip(0, 1))
    angle = np.radians(generator.uniform(45, 135))
    flakes = _blurred(flakes, radius, sigma, angle, unit)
    white = np.maximum(image, 1.5 * (image @ _LUMA)[..., None] + 0.5)
    ground = share * image + (1 - share) * white
    return ground + (flakes + flakes[::-1, ::-1])[..., None]


def _noise(image: np.ndarray, level: int, generator: np.random.Generator) -> np.ndarray:
    return image + generator.normal(0, _NOISE[level], image.shape).astype(np.float32)


IMAGE_CORRUPTIONS: dict[str, Callable[..., np.ndarray]] = {
    'color_quantization': _color_quantization,
    'motion_blur': _motion_blur,
    'bright': _bright,
    'low_light': _low_light,
    'fog': _fog,
    'snow': _snow,
    'noise': _noise,
}


def _unit(image: np.ndarray) -> float:
    return image.shape[1] / REFERENCE_WIDTH


def _blurred(image: np.ndarray, radius: float, sigma: float, angle: float, unit: float):
    """Blur along a line at ``angle`` by a Gaussian cut at ``radius``; lengths times ``unit``."""
    radius, sigma = radius * unit, sigma * unit
    reach = int(np.ceil(radius)) + 1
    steps = np.linspace(-radius, radius, 8 * reach + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    u, v = reach + steps * np.cos(angle), reach + steps * np.sin(angle)
    left, top = np.floor(u).astype(int), np.floor(v).astype(int)
    for down in (0, 1):
        for right in (0, 1):
            share = np.abs(1 - right - (u - left)) * np.abs(1 - down - (v - top))
            np.add.at(kernel, (top + down, left + right), weights * share)
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)


def fractal_noise(
    size: tuple[int, int], decay: float, generator: np.random.Generator
) -> np.ndarray:
    """Clouds: octaves of smooth noise, each of twice the frequency and 1 / ``decay`` the amplitude.

    Args:
        size: (height, width).
        decay: above 1; larger is smoother.
        generator: random numbers.

    Returns:
        (H, W) float32 from 0 to 1.
    """
    side = max(size)
    total = np.zeros((side, side), np.float32)
    for octave in range(1, int(np.ceil(np.log2(max(side, 2)))) + 1):
        grid = generator.random((2**octave + 1, 2**octave + 1), np.float32)
        smooth = cv2.resize(grid, (side, side), interpolation=cv2.INTER_LINEAR)
        total += smooth * np.float32(decay**-octave)
    total = total[: size[0], : size[1]]
    total -= total.min()
    return total / max(total.max(), 1e-6)
