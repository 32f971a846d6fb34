"""Pixels that never move: the vehicle itself in the images of its camera."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from ..errors import DepthDataError

_WIDTH = 320  # pixels, of the images that are compared
_LEAST = 12  # images
_SCENE = 80  # percentile of the deviations over time, of what moves
_STILL = 0.2  # of that, largest deviation of a still pixel
_NOISE = 2.0  # grey levels, of the camera
_MOVING = 6.0  # grey levels, smallest deviation of the scene from a moving vehicle
_EDGE = 0.75  # gradient of the mean over mean gradient, of an edge that is always there
_PARTS = 4  # of the images in order, all of which have the edges of the body
_OUTLINE = 0.7  # smallest share of the outline on such edges
_SMALLEST = 0.002  # of the image


def find_static_pixels(images: Iterable[np.ndarray]) -> np.ndarray:
    """Body of the vehicle in the images of one of its cameras.

    A pixel is still if its brightness deviates little over time (median absolute deviation, so that
    wipers, reflections and a stop do not count). Still regions that touch the lower half of the
    border are the body if most of their outline is an edge that is there in all images, from the
    first quarter to the last: other still regions, such as an even road or the shadow of traffic
    that keeps beside the vehicle for a while, have no such outline. Shiny bodies can be found in
    part only: look at the result.

    Args:
        images: (H, W) uint8 grey, from a moving vehicle at different places, in order.

    Returns:
        (H, W) bool, True on the body; may be empty.

    Raises:
        DepthDataError: too few images, images of several sizes, or a vehicle that hardly moves.

    Example:
        >>> random = np.random.default_rng(0)
        >>> images = [random.integers(0, 256, (120, 160), np.uint8) for _ in range(20)]
        >>> for image in images:
        ...     image[90:] = 60  # bonnet
        >>> mask = find_static_pixels(images)
        >>> bool(mask[95:].all()), bool(mask[:85].any())
        (True, False)
    """
    sizes, frames = set(), []
    for image in images:
        sizes.add(image.shape)
        frames.append(_shrunk(image))
    if len(frames) < _LEAST or len(sizes) != 1:
        raise DepthDataError(
            f'expected {_LEAST} or more images of one size to find what never moves, got '
            f'{len(frames)} of sizes {sorted(sizes)}'
        )
    frames = np.stack(frames)
    middle = np.median(frames, axis=0)
    deviation = np.median(np.abs(frames - middle), axis=0)
    moving = float(np.percentile(deviation, _SCENE))
    if moving < _MOVING:
        raise DepthDataError(
            'expected images from a moving vehicle, got deviations over time of '
            f'{moving:.1f} grey levels; give images from more places'
        )
    still = (deviation <= max(_STILL * moving, _NOISE)).astype(np.uint8)
    edges = _lasting_edges(frames)
    still[edges > 0] = 0  # the outline parts the body from an even road beside it
    still = cv2.morphologyEx(still, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    body = np.zeros_like(still)
    count, regions = cv2.connectedComponents(still, connectivity=4)
    always = cv2.dilate(edges, np.ones((5, 5), np.uint8)) > 0
    for index in range(1, count):
        region = (regions == index).astype(np.uint8)
        if _touches_lower_border(region) and region.mean() >= _SMALLEST:
            outline = _outline(region)
            if outline.any() and always[outline].mean() >= _OUTLINE:
                body |= region
    body = cv2.morphologyEx(body, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    grown = cv2.dilate(body, np.ones((5, 5), np.uint8))  # its outline, blurred
    ((height, width),) = sizes
    return cv2.resize(grown, (width, height), interpolation=cv2.INTER_NEAREST) > 0


def _shrunk(image: np.ndarray) -> np.ndarray:
    """Smoothed image (h, w) float32 of at most `_WIDTH` columns."""
    factor = min(1.0, _WIDTH / image.shape[1])
    size = tuple(round(side * factor) for side in image.shape[::-1])
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), 1.0).astype(np.float32)


def _lasting_edges(frames: np.ndarray) -> np.ndarray:
    """(H, W) uint8, 1 on edges that are there in all images, and in every part of them."""
    gradients = np.stack([np.stack(np.gradient(x)) for x in frames])
    parts = [_edges(part) for part in np.array_split(gradients, _PARTS)]
    # noise moves an edge by a pixel from part to part
    return _edges(gradients) * np.min([cv2.dilate(x, np.ones((3, 3), np.uint8)) for x in parts], 0)


def _edges(gradients: np.ndarray) -> np.ndarray:
    of_mean = np.hypot(*gradients.mean(0))
    mean = np.hypot(gradients[:, 0], gradients[:, 1]).mean(0)
    return ((of_mean > _EDGE * mean) & (of_mean > 2.0)).astype(np.uint8)


def _touches_lower_border(region: np.ndarray) -> bool:
    lower = region[len(region) // 2 :]
    return bool(region[-1].any() or lower[:, 0].any() or lower[:, -1].any())


def _outline(region: np.ndarray) -> np.ndarray:
    """(H, W) bool, pixels of a region beside others, not at the border of the image."""
    padded = cv2.copyMakeBorder(region, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    return (region > 0) & (cv2.erode(padded, np.ones((3, 3), np.uint8))[1:-1, 1:-1] == 0)
