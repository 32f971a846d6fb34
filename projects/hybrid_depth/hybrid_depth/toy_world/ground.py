"""Appearance of the ground: asphalt, lane marks, kerb, pavement, grass, contact shadows."""

from __future__ import annotations

import numpy as np

from .rays import RayGrid
from .shapes import Parts
from .street import KERB, LANE_MARKS, ROAD_EDGE, SIDEWALK_EDGE, LaneMark, Street

#: Extent of the contact shadow around an object, metres.
_SHADOW_REACH = 0.7
_NOISE_SIZE = 256
_NOISE = np.random.default_rng(20240229).normal(0, 1, (_NOISE_SIZE, _NOISE_SIZE)).astype(np.float32)


def noise(u: np.ndarray, v: np.ndarray, cell: float, footprint: np.ndarray) -> np.ndarray:
    """Periodic noise with cells of ``cell`` metres, faded where a pixel covers many cells."""
    iu = np.floor(u / cell).astype(np.int32) % _NOISE_SIZE
    iv = np.floor(v / cell).astype(np.int32) % _NOISE_SIZE
    return _NOISE[iv, iu] / (1 + (footprint / cell) ** 2)


def band(x: np.ndarray, low: float, high: float, footprint: np.ndarray) -> np.ndarray:
    """Share of a pixel of width ``footprint`` at ``x`` between ``low`` and ``high``."""
    width = np.maximum(footprint, 1e-4)
    inside = np.minimum(x + width / 2, high) - np.maximum(x - width / 2, low)
    return np.clip(inside / width, 0, 1)


def mark_coverage(
    mark: LaneMark, s: np.ndarray, d: np.ndarray, wide: np.ndarray, long: np.ndarray
) -> np.ndarray:
    """Share of each pixel covered by a lane mark.

    Args:
        mark: the mark.
        s, d: (N,) street coordinates, metres.
        wide, long: (N,) size of the pixels across and along the street, metres.
    """
    across = band(d, mark.d - mark.width / 2, mark.d + mark.width / 2, wide)
    if mark.gap == 0:
        return across
    period = mark.dash + mark.gap
    phase = s % period
    return across * np.maximum(
        band(phase, 0, mark.dash, long), band(phase - period, 0, mark.dash, long)
    )


def ground_colour(
    street: Street, grid: RayGrid, points: np.ndarray, distance: np.ndarray
) -> np.ndarray:
    """Colour of ground points.

    Args:
        street: street geometry.
        grid: rays, for the size of a pixel on the ground.
        points: (3, N) world points with z = 0.
        distance: (N,) ray parameters of the hits.

    Returns:
        (3, N) float32 colours in [0, 1].
    """
    s, d = street.locate(points[0], points[1])
    wide, long = _footprints(street, grid, points, distance, s)
    side = np.abs(d)
    speckle = noise(s, d, 0.08, long) * 0.020 + noise(s + 31, d + 7, 1.3, long) * 0.012
    wear = 0.025 * np.cos(2 * np.pi * side / 1.75) * (side < ROAD_EDGE)
    tone = 1 + 3 * speckle + wear
    paint = street.paint
    colour = _column(paint.asphalt) * tone
    tiles = np.maximum(band(s % paint.tile, 0, 0.04, long), band(side % 1.0, 0, 0.04, wide))
    pavement = _column(paint.pavement) * (1 + 2 * speckle - 0.25 * tiles)
    grass = _column(paint.grass) * (1 + 8 * speckle)
    colour = _mix(colour, pavement, band(side, KERB, SIDEWALK_EDGE, wide))
    colour = _mix(colour, grass, band(side, SIDEWALK_EDGE, 1e4, wide))
    colour = _mix(colour, _column(paint.kerb), band(side, KERB, KERB + 0.22, wide))
    for mark in LANE_MARKS:
        share = mark_coverage(mark, s, d, wide, long) * 0.95
        colour = _mix(colour, _column(mark.colour), share)
    return colour.astype(np.float32)


def _column(colour: tuple[float, float, float]) -> np.ndarray:
    return np.array(colour, np.float32)[:, None]


def _mix(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    return first + (second - first) * share


def _footprints(street, grid, points, distance, s) -> tuple[np.ndarray, np.ndarray]:
    """Size of a pixel on the ground across and along the street, metres."""
    x, y = points[0] - grid.origin[0], points[1] - grid.origin[1]
    flat = np.maximum(np.hypot(x, y), 1e-3)
    heading = np.interp(s, street.s, street.heading)
    along = (x * np.cos(heading) + y * np.sin(heading)) / flat
    across = np.sqrt(np.maximum(1 - along * along, 0))
    minor = distance * grid.spread
    major = minor * np.sqrt(1 + (flat / grid.origin[2]) ** 2)
    return (
        np.maximum(minor * np.abs(along), major * across).astype(np.float32),
        np.maximum(major * np.abs(along), minor * across).astype(np.float32),
    )


def shadow_factor(grid: RayGrid, feet: Parts, mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Contact shadows: darkening of the ground below and beside objects.

    Args:
        grid: rays.
        feet: one flat box per object, its footprint on the ground, world frame.
        mask: (H, W), rays that hit the ground.
        points: (3, N) world hit points of ``mask``, row by row.

    Returns:
        (N,) factors in (0, 1].
    """
    factor = np.ones(grid.shape, np.float32)
    plane = np.zeros((2, *grid.shape), np.float32)
    plane[:, mask] = points[:2]
    reach = np.array([_SHADOW_REACH, _SHADOW_REACH, 0.01])
    grown = Parts(**{**vars(feet), 'half': feet.half + reach})
    bounds = grid.windows(grown.corners())
    for k in np.flatnonzero((bounds[:, 0] < bounds[:, 1]) & (bounds[:, 2] < bounds[:, 3])):
        r0, r1, c0, c1 = bounds[k]
        local = plane[:, r0:r1, c0:c1]
        dx, dy = local[0] - np.float32(feet.centre[k, 0]), local[1] - np.float32(feet.centre[k, 1])
        axes = feet.rotation[k].astype(np.float32)
        half = feet.half[k].astype(np.float32)
        ox = np.maximum(np.abs(dx * axes[0, 0] + dy * axes[1, 0]) - half[0] * 0.9, 0)
        oy = np.maximum(np.abs(dx * axes[0, 1] + dy * axes[1, 1]) - half[1] * 0.9, 0)
        away = np.sqrt(ox * ox + oy * oy) / _SHADOW_REACH
        factor[r0:r1, c0:c1] *= 1 - 0.6 * np.maximum(1 - away, 0) ** 2
    return factor[mask]
