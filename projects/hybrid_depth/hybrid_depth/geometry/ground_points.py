"""Ground plane of LiDAR points near a vehicle."""

from __future__ import annotations

import numpy as np

_NEAR, _FAR = 3.0, 20.0  # metres from the sensor: beyond the vehicle, and flat
_INLIER = 0.1  # metres
_DRAWS = 200  # of three points; 40 find a plane of half of the points in all but 1 of 100 cases


def fit_ground(points: np.ndarray, above: np.ndarray) -> tuple[float, float]:
    """Plane with the most points within 0.1 m (RANSAC).

    Args:
        points: (P, 3) in the vehicle's frame, metres.
        above: (3,) a point above the ground, from which distances count, such as the sensor.

    Returns:
        Tilt in degrees against z = 0, and height at the origin in metres.
    """
    reach = np.linalg.norm(points - above, axis=1)
    points = points[(reach > _NEAR) & (reach < _FAR)]
    points = points[:: max(1, len(points) // 4000)]
    draw = np.random.default_rng(0)
    corners = points[draw.integers(len(points), size=(_DRAWS, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = (normals / np.maximum(lengths, 1e-9))[lengths[:, 0] > 0.1]
    offsets = np.einsum('nc,nc->n', normals, corners[lengths[:, 0] > 0.1, 0])
    near = np.abs(points @ normals.T - offsets) < _INLIER
    chosen = points[near[:, near.sum(0).argmax()]]
    middle = chosen.mean(0)
    normal = np.linalg.svd(chosen - middle, full_matrices=False)[2][2]
    normal = normal if normal @ (above - middle) > 0 else -normal
    tilt = float(np.degrees(np.arccos(np.clip(normal[2], -1, 1))))
    return tilt, float(normal @ middle / max(normal[2], 0.1))
