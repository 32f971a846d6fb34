"""Rotations in files."""

import numpy as np
from numpy.typing import ArrayLike


def quaternion_to_matrix(quaternion: ArrayLike) -> np.ndarray:
    """Rotation matrix (3, 3) of a quaternion (w, x, y, z) of any norm."""
    w, x, y, z = np.asarray(quaternion, np.float64) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
