"""Sweeps of a spinning LiDAR in the toy world."""

from __future__ import annotations

import numpy as np

from .ground import ground_colour
from .raycast import GROUND, Hits, cast
from .rays import RayGrid, spinning
from .scene import Scene
from .shading import surface
from .shapes import Parts

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def sweep(
    scene: Scene,
    lidar2world: np.ndarray,
    time: float,
    elevations: np.ndarray,
    azimuth_steps: int,
    reach: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """Returns of one LiDAR sweep, all measured at one instant.

    Args:
        scene: the scene.
        lidar2world: (4, 4) LiDAR frame (z up) to world.
        time: seconds after the start of the scene.
        elevations: (R,) ascending elevations of the rings, radians.
        azimuth_steps: columns per sweep.
        reach: nearest and farthest range, metres.

    Returns:
        (N, 4) float32 x, y, z in the LiDAR frame (metres) and intensity in [0, 1], column by
        column; (N,) ring index.
    """
    grid = spinning(lidar2world, elevations, azimuth_steps)
    parts = scene.parts(time, grid.origin[:2], reach[1])
    hits = cast(grid, parts, len(scene.actors))
    col, row = np.nonzero(((hits.distance >= reach[0]) & (hits.distance <= reach[1])).T)
    distance = hits.distance[row, col]
    local = grid.row_scale[row] * grid.cols[:, col] + grid.rows[:, row]
    intensity = _reflectivity(scene, grid, hits, parts, row, col)
    points = np.concatenate([local * distance, intensity[None]])
    return points.T.astype(np.float32), row


def _reflectivity(
    scene: Scene, grid: RayGrid, hits: Hits, parts: Parts, row: np.ndarray, col: np.ndarray
) -> np.ndarray:
    """(N,) brightness of the unlit surface times the cosine of the angle of incidence."""
    distance, part = hits.distance[row, col], hits.part[row, col]
    direction = grid.directions(row, col)
    value = np.zeros(len(row))
    ground, solid = part == GROUND, part >= 0
    points = grid.origin[:, None] + direction[:, ground] * distance[ground]
    colour = ground_colour(scene.street, grid, points, distance[ground])
    value[ground] = np.einsum('c,cn->n', _LUMA, colour) * -direction[2, ground]
    colour, normal = surface(grid, row[solid], col[solid], distance[solid], parts, part[solid])
    facing = np.abs(np.einsum('in,in->n', normal, direction[:, solid]))
    value[solid] = np.einsum('c,cn->n', _LUMA, colour) * facing
    return np.clip(value, 0, 1)
