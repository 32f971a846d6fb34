"""Points in 3D boxes that are rotated about z, for NumPy arrays and tensors alike.

Not in `geometry`, which imports torch: the toy world does without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

Array = TypeVar('Array', np.ndarray, 'Tensor')


def points_in_boxes(points: Array, centres: Array, sizes: Array, headings: Array) -> Array:
    """Mask of points inside boxes, borders included.

    Args:
        points: (P, D) metres; D = 3, or 2 to look from above.
        centres: (M, D) centres of the boxes, metres.
        sizes: (M, D) length (along the heading), width and height, metres.
        headings: (M, 2) unit vectors (cos yaw, sin yaw).

    Returns:
        (M, P) bool.

    Example:
        >>> points = np.array([[0.0, 1.9], [1.9, 0.0]])
        >>> left = np.array([[0.0, 1.0]])
        >>> points_in_boxes(points, np.zeros((1, 2)), np.array([[4.0, 2.0]]), left).tolist()
        [[True, False]]
    """
    x, y, *up = (points[:, i] - centres[:, i : i + 1] for i in range(points.shape[1]))
    length, width, *height = (sizes[:, i : i + 1] / 2 for i in range(points.shape[1]))
    cos, sin = headings[:, :1], headings[:, 1:]
    inside = (abs(x * cos + y * sin) <= length) & (abs(y * cos - x * sin) <= width)
    for z, half in zip(up, height, strict=True):
        inside &= abs(z) <= half
    return inside
