"""Quaternions (w, x, y, z) in arrays, with pyquaternion's numbers to the last digit.

pyquaternion computes by ``np.dot`` of single vectors and matrices. Here ``np.matmul`` makes the
same BLAS call for each item of an array; one product of large matrices, or plain sums, would round
differently. Source: github.com/KieranWynn/pyquaternion, pyquaternion/quaternion.py.
"""

from __future__ import annotations

import math

import numpy as np

_UNIT_TOLERANCE = 1e-14  # pyquaternion's


def dots(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N,) ``np.dot`` of the rows of (N, n)."""
    return np.matmul(first[:, None, :], second[:, :, None])[:, 0, 0]


def rotated(matrix: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(N, n) ``np.dot`` of one matrix (n, n), or (N, n, n), with each of the vectors (N, n)."""
    return np.matmul(matrix, vectors[:, :, None])[:, :, 0]


def about_z(yaws: np.ndarray) -> np.ndarray:
    """(N, 4) rotations about z by (N,) radians."""
    halves = (yaws / 2).tolist()  # math's functions: numpy's may round differently
    rotations = np.zeros((len(halves), 4))
    rotations[:, 0] = [math.cos(half) for half in halves]
    rotations[:, 3] = [math.sin(half) for half in halves]
    return rotations


def product_matrices(rotations: np.ndarray) -> np.ndarray:
    """(N, 4, 4) matrices M of (N, 4) rotations p, with M q = p q."""
    w, x, y, z = rotations.T
    return np.stack([w, -x, -y, -z, x, w, -z, y, y, z, w, -x, z, -y, x, w], 1).reshape(-1, 4, 4)


def rotation_matrices(rotations: np.ndarray) -> np.ndarray:
    """(N, 3, 3) matrices of (N, 4) rotations of any length."""
    squares = dots(rotations, rotations)
    odd = ~(np.abs(1 - squares) < _UNIT_TOLERANCE) & (squares > 0)
    unit = np.where(
        odd[:, None], rotations / np.sqrt(np.where(odd, squares, 1))[:, None], rotations
    )
    w, x, y, z = unit.T
    right = [w, -x, -y, -z, x, w, z, -y, y, -z, w, x, z, y, -x, w]
    right = np.stack(right, 1).reshape(-1, 4, 4).swapaxes(1, 2)
    return np.matmul(product_matrices(unit), right)[:, 1:, 1:]


def yaws_of(rotations: np.ndarray) -> np.ndarray:
    """(N,) radians about z of the rotated x axis, by the devkit's ``quaternion_yaw``."""
    ahead = rotated(rotation_matrices(rotations), np.tile([1.0, 0.0, 0.0], (len(rotations), 1)))
    return np.arctan2(ahead[:, 1], ahead[:, 0])
