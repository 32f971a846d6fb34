"""Filling of holes in depth maps."""

import cv2
import numpy as np

_RADIUS = 3  # pixels at the reduced size


def fill_inverse_depth(inverse: np.ndarray, known: np.ndarray, stride: int = 4) -> np.ndarray:
    """Inverse depth of all pixels, inpainted from the known ones at a reduced size.

    Fast marching inpainting (Telea, Journal of Graphics Tools 9(1), 2004; OpenCV's
    INPAINT_TELEA). Inverse depth is the quantity that is linear along planes in the image; depth
    would give the farther side of an edge more weight.

    Args:
        inverse: (H, W) float32, 1 / metres; any value where not known.
        known: (H, W) bool.
        stride: factor between the size of the image and that of the inpainting.

    Returns:
        (H, W) float32, smooth; all NaN if nothing is known.

    Example:
        >>> depth = np.full((8, 8), 10.0, np.float32)
        >>> known = np.arange(8) < 4
        >>> filled = fill_inverse_depth(1 / depth, np.tile(known, (8, 1)))
        >>> float(abs(filled - 0.1).max()) < 1e-6
        True
    """
    if not known.any():
        return np.full(inverse.shape, np.nan, np.float32)
    height, width = inverse.shape
    size = (max(width // stride, 1), max(height // stride, 1))
    weight = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    values = np.where(known, inverse, np.float32(0)).astype(np.float32)
    values = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    values /= np.maximum(weight, 1e-6)
    holes = (weight < 1e-3).view(np.uint8)
    if holes.any() and not holes.all():
        # OpenCV adds up to two grey levels per pixel whatever the range of the values, which ruins
        # 1 / metres; of 16 bits they are nothing
        scale = 65535 / max(float(values.max()), 1e-6)
        levels = (values * scale).clip(0).round().astype(np.uint16)
        values = cv2.inpaint(levels, holes, _RADIUS, cv2.INPAINT_TELEA).astype(np.float32) / scale
    return cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
