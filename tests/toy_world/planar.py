"""Comparison of measured points with a depth map between its pixels."""

import numpy as np


def depth_between_pixels(depth: np.ndarray, pixels: np.ndarray, flatness: float) -> np.ndarray:
    """Depth at (N, 2) pixels (u, v) that lie on a plane of the scene, NaN elsewhere.

    Inverse depth is linear in the pixel on a plane, so its bilinear interpolation is exact there. A
    patch of 4 x 4 pixels is a plane if its inverse depth is linear to ``flatness`` (1/m).
    """
    inverse = 1 / np.where(depth > 0, depth, np.nan)
    height, width = depth.shape
    u, v = pixels.T
    inside = (u >= 1) & (v >= 1) & (u < width - 2) & (v < height - 2)
    col, row = np.floor(np.where(inside[:, None], pixels, 1)).astype(int).T
    around = np.arange(-1, 3)
    patch = inverse[row[:, None, None] + around[:, None], col[:, None, None] + around]
    bends = [np.abs(np.diff(patch, 2, axis)).max((1, 2)) for axis in (1, 2)]
    a, b = v - row, u - col
    near = patch[:, 1:3, 1:3]
    value = (1 - a) * ((1 - b) * near[:, 0, 0] + b * near[:, 0, 1])
    value += a * ((1 - b) * near[:, 1, 0] + b * near[:, 1, 1])
    flat = inside & (np.maximum(*bends) < flatness)
    return 1 / np.where(flat, value, np.nan)
