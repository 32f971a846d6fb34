"""Ray caster: nearest hit of every ray of a grid among all parts and the ground.

Each part is tested with the window of rays that can meet it, all at once, in the frame in which the
part is a unit solid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .rays import RayGrid
from .shapes import Parts, Solid

GROUND, SKY = -1, -2


@dataclass(frozen=True)
class Hits:
    """First hits of the rays of an (H, W) grid.

    Attributes:
        distance: (H, W) ray parameter of the hit, metres: depth of a camera, range of a LiDAR; inf
            for the sky.
        part: (H, W) index of the part hit, ``GROUND`` or ``SKY``.
        covered: (A,) number of rays that meet each actor, occlusion ignored.
    """

    distance: np.ndarray
    part: np.ndarray
    covered: np.ndarray


def cast(grid: RayGrid, parts: Parts, num_actors: int) -> Hits:
    """Casts all rays of ``grid`` on ``parts`` and the ground plane z = 0.

    Args:
        grid: rays.
        parts: solids in the world frame; the parts of an actor are consecutive.
        num_actors: number of actors in ``parts.actor``.
    """
    distance, hit = _cast_ground(grid)
    covered = np.zeros(num_actors, np.int64)
    last_actor = np.full(grid.shape, -1, np.int32)
    dtype = distance.dtype
    corners = parts.corners()
    bounds = grid.windows(corners)
    visible = np.flatnonzero((bounds[:, 0] < bounds[:, 1]) & (bounds[:, 2] < bounds[:, 3]))
    candidates = parts.take(visible)
    origins, cols, rows = _unit_frames(grid, candidates, dtype)
    scale = grid.row_scale[:, None]
    intersect = [_INTERSECT[solid] for solid in candidates.solid.tolist()]
    tapers, actors = candidates.taper.astype(dtype), candidates.actor.tolist()
    for k, index in enumerate(visible.tolist()):
        for window, columns in _slices(bounds[index].tolist(), grid.shape[1]):
            directions = cols[k][:, None, columns] * scale[window[0]] + rows[k][:, window[0], None]
            entry = intersect[k](origins[k], directions, tapers[k])
            front = distance[window]
            closer = entry < front
            np.copyto(front, entry, where=closer)
            np.copyto(hit[window], index, where=closer)
            if actors[k] >= 0:
                before = last_actor[window]
                new = (entry < np.inf) & (before != actors[k])
                covered[actors[k]] += np.count_nonzero(new)
                np.copyto(before, actors[k], where=new)
    return Hits(distance, hit, covered)


def _cast_ground(grid: RayGrid) -> tuple[np.ndarray, np.ndarray]:
    """Depth and hit index of ground and sky without parts."""
    up = grid.rotation[2]
    down = -(grid.row_scale[:, None] * _dot(up, grid.cols)[None] + _dot(up, grid.rows)[:, None])
    with np.errstate(divide='ignore'):
        distance = np.where(down > 0, grid.origin[2] / down, np.inf).astype(grid.cols.dtype)
    return distance, np.where(np.isfinite(distance), GROUND, SKY).astype(np.int32)


def _dot(vector: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return np.einsum('i,in->n', vector, columns)


def _unit_frames(grid: RayGrid, parts: Parts, dtype) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rays in the unit frames of the parts.

    Returns:
        Origins (P, 3), column parts (P, 3, W) and row parts (P, 3, H) of the directions.
    """
    to_unit = np.swapaxes(parts.rotation, 1, 2) / parts.half[:, :, None]
    origins = np.einsum('pij,pj->pi', to_unit, grid.origin - parts.centre)
    turn = np.einsum('pij,jk->pik', to_unit, grid.rotation)
    cols = np.einsum('pij,jw->piw', turn, grid.cols)
    rows = np.einsum('pij,jh->pih', turn, grid.rows)
    return origins.astype(dtype), cols.astype(dtype), rows.astype(dtype)


def _slices(bounds: np.ndarray, width: int):
    """Windows as ((row slice, column slice), column slice); two if the columns wrap around."""
    r0, r1, c0, c1 = bounds
    for a, b in ((c0, min(c1, width)), (0, c1 - width)):
        if a < b:
            yield (slice(r0, r1), slice(a, b)), slice(a, b)


def _nonzero(direction: np.ndarray) -> np.ndarray:
    """Directions with zero components replaced, for finite slopes."""
    return np.where(np.abs(direction) < 1e-9, direction.dtype.type(1e-9), direction)


def _hit_box(origin: np.ndarray, direction: np.ndarray, _: float) -> np.ndarray:
    """Entry into [-1, 1]^3 by slabs."""
    inverse = 1 / _nonzero(direction)
    middle = -origin[:, None, None] * inverse
    reach = np.abs(inverse)
    enter = (middle - reach).max(0)
    leave = (middle + reach).min(0)
    return np.where((enter <= leave) & (enter > 0), enter, np.inf)


def _hit_ball(origin: np.ndarray, direction: np.ndarray, _: float) -> np.ndarray:
    """Entry into the unit ball, from the point of the ray nearest to its centre."""
    square = (direction * direction).sum(0)
    nearest = -(origin[:, None, None] * direction).sum(0) / square
    point = origin[:, None, None] + nearest * direction
    room = 1 - (point * point).sum(0)
    enter = nearest - np.sqrt(np.maximum(room, 0) / square)
    return np.where((room >= 0) & (enter > 0), enter, np.inf)


def _hit_frustum(origin: np.ndarray, direction: np.ndarray, taper: float) -> np.ndarray:
    """Entry into the frustum |z| < 1 of radius (1 + taper) / 2 + (taper - 1) / 2 z."""
    middle, slope = (1 + taper) / 2, (taper - 1) / 2
    # Relative to the point nearest to the centre, as a far origin would lose all digits.
    shift = -(origin[:, None, None] * direction).sum(0) / (direction * direction).sum(0)
    x, y, z = origin[:, None, None] + shift * direction
    dx, dy, dz = direction
    radius, growth = middle + slope * z, slope * dz
    a = dx * dx + dy * dy - growth * growth
    b = x * dx + y * dy - radius * growth
    c = x * x + y * y - radius * radius
    root = b * b - a * c
    a = np.where(np.abs(a) < 1e-12, a.dtype.type(1e-12), a)
    inverse_z = 1 / _nonzero(dz)
    cap_enter, cap_leave = -z * inverse_z - np.abs(inverse_z), -z * inverse_z + np.abs(inverse_z)
    width = np.sqrt(np.maximum(root, 0)) / np.abs(a)
    side_enter, side_leave = -b / a - width, -b / a + width
    # a < 0: the inside of the double cone is outside the two roots, and only one nappe is real.
    forward = growth > 0
    steep_enter = np.where(forward, side_leave, -np.inf)
    steep_leave = np.where(forward, np.inf, side_enter)
    steep = a < 0
    side_enter, side_leave = (
        np.where(steep, steep_enter, side_enter),
        np.where(steep, steep_leave, side_leave),
    )
    enter, leave = np.maximum(side_enter, cap_enter), np.minimum(side_leave, cap_leave)
    hit = ((root >= 0) | steep) & (enter <= leave) & (enter + shift > 0)
    return np.where(hit, enter + shift, np.inf)


_INTERSECT = {Solid.BOX: _hit_box, Solid.ELLIPSOID: _hit_ball, Solid.FRUSTUM: _hit_frustum}
