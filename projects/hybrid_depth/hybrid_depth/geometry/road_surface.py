"""Road that bends and twists a little, seen by a camera above it, and the plane nearest to it."""

from __future__ import annotations

import numpy as np

from .ground_plane_fit import GroundPlaneFit

SIZE = 5  # parameters
#: Range of the nearest plane, metres: what cameras see of the road, to where `fit_ground_points`
#: uses LiDAR.
NEAR, FAR = 4.0, 30.0
_BEND = 1 / 2000  # 1 / metres, standard deviation of the vertical curvature of a street
_TWIST = np.radians(0.02)  # radians / metre, of the change of its cross slope


def surface_prior(prior: GroundPlaneFit) -> tuple[np.ndarray, np.ndarray]:
    """Expected surface (5,) and its covariance (5, 5): the prior's plane, unbent.

    The surface is q . X + b z^2 + c x z = 1 in the camera frame, with the parameters (q, b, c): a
    plane below the camera, the bend along the road and the twist
    (docs/reference/ground_plane.md, "Shape of the road").
    """
    covariance = np.zeros((SIZE, SIZE))
    covariance[:3, :3] = prior.covariance
    inverse_height = np.linalg.norm(prior.inverse)
    covariance[3, 3] = (_BEND / 2 * inverse_height) ** 2
    covariance[4, 4] = (_TWIST * inverse_height) ** 2
    return np.concatenate((prior.inverse, np.zeros(2))), covariance


def nearest_prior(prior: GroundPlaneFit) -> GroundPlaneFit:
    """Expected plane nearest to the road: with the bend and the twist that a road may have.

    Args:
        prior: of the plane below the vehicle.
    """
    surface, spread = surface_prior(prior)
    plane, derivative = nearest_plane(surface)
    return GroundPlaneFit(plane, derivative @ spread @ derivative.T)


def inverse_depth(surface: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """(N,) 1 / z of the surface on rays (N, 3) whose z is 1; 0 or less beyond the horizon."""
    # w = 1 / z solves w^2 - (q . d) w - (b + c d_x) = 0
    slope = rays @ surface[:3]
    bend = surface[3] + surface[4] * rays[:, 0]
    return (slope + np.sqrt(np.maximum(slope**2 + 4 * bend, 0))) / 2


def height_change(surface: np.ndarray, point: np.ndarray) -> float:
    """How much lower the camera is above the surface at a point (3,) than at 0, by its height."""
    x, _, z = point
    return float(surface[:3] @ point + surface[3] * z**2 + surface[4] * x * z)


def nearest_plane(surface: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Plane q (3,) with the least squared relative error of depth, and its derivative (3, 5).

    From `NEAR` to `FAR`, each metre of range with the same weight.
    """
    # z^2 ~ rise z - drop, the line of least squares over this range
    rise = NEAR + FAR
    drop = (NEAR**2 + 4 * NEAR * FAR + FAR**2) / 6
    bend, twist = surface[3:]
    factor = 1 / (1 + bend * drop)
    plane = (surface[:3] + [twist * rise / 2, 0, bend * rise]) * factor
    derivative = np.zeros((3, SIZE))
    derivative[:, :3] = np.eye(3) * factor
    derivative[:, 3] = np.array([0, 0, rise]) * factor - plane * drop * factor
    derivative[:, 4] = np.array([rise / 2, 0, 0]) * factor
    return plane, derivative
