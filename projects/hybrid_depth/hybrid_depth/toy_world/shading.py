"""Colours of the hits of a ray grid: textures of the parts, light, haze and sky."""

from __future__ import annotations

import numpy as np

from .ground import band, ground_colour, noise, shadow_factor
from .raycast import GROUND, SKY, Hits
from .rays import RayGrid, rotate
from .shapes import Parts, Solid, Texture
from .street import Street

_HORIZON = np.array([0.80, 0.85, 0.90], np.float32)
_ZENITH = np.array([0.36, 0.55, 0.82], np.float32)
_HAZE_LENGTH = 450.0


def shade(
    grid: RayGrid, hits: Hits, parts: Parts, feet: Parts, street: Street, sun: np.ndarray
) -> np.ndarray:
    """RGB image of the hits of a ray grid.

    Args:
        grid: rays.
        hits: result of :func:`raycast.cast` on ``parts``.
        parts: solids, world frame.
        feet: footprints for contact shadows, see :func:`ground.shadow_factor`.
        street: street geometry, for the ground.
        sun: (3,) unit vector to the sun, world frame.

    Returns:
        (H, W, 3) float32 in [0, 1].
    """
    image = np.empty((*grid.shape, 3), np.float32)
    row, col = np.nonzero(hits.part == SKY)
    image[row, col] = _sky(grid.directions(row, col)).T
    mask = hits.part == GROUND
    row, col = np.nonzero(mask)
    distance = hits.distance[mask]
    points = grid.origin[:, None].astype(np.float32) + grid.directions(row, col) * distance
    colour = ground_colour(street, grid, points, distance)
    colour *= shadow_factor(grid, feet, mask, points)
    image[mask] = _haze(colour, distance).T
    mask = hits.part >= 0
    row, col = np.nonzero(mask)
    colour, normal = surface(grid, row, col, hits.distance[mask], parts, hits.part[mask])
    light = 0.64 + 0.44 * np.maximum(np.einsum('i,in->n', sun.astype(np.float32), normal), 0)
    light *= 0.92 + 0.08 * normal[2]
    image[mask] = _haze(colour * light, hits.distance[mask]).T
    return np.clip(image, 0, 1)


def surface(grid: RayGrid, row, col, distance, parts: Parts, part) -> tuple[np.ndarray, np.ndarray]:
    """Unlit colour (3, N) and outward world normal (3, N) of hits on parts."""
    direction = grid.directions(row, col)
    offset = _of_hits(grid.origin - parts.centre, part)
    rotation = _of_hits(parts.rotation, part)
    half = _of_hits(parts.half, part)
    local = rotate(rotation.swapaxes(0, 1), offset + direction * distance)
    normal = _normals(local / half, half, parts, part)
    footprint = distance * grid.spread
    colour = _texture_colour(local, normal, half, parts, part, footprint)
    return colour, rotate(rotation, normal)


def _of_hits(values: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Values (P, ...) of the parts, float32, at hits: (..., N)."""
    return np.ascontiguousarray(np.moveaxis(values, 0, -1), np.float32).take(part, -1)


def _normals(unit: np.ndarray, half: np.ndarray, parts: Parts, part: np.ndarray) -> np.ndarray:
    """Outward normals in the part frame."""
    solid = parts.solid[part]
    face = np.abs(unit).argmax(0)
    gradient = np.zeros_like(unit)
    index = np.arange(unit.shape[1])
    gradient[face, index] = np.sign(unit[face, index])
    ball = solid == Solid.ELLIPSOID
    gradient[:, ball] = unit[:, ball] / half[:, ball]
    wall = (solid == Solid.FRUSTUM) & (np.abs(unit[2]) < 0.9999)
    taper = parts.taper.astype(np.float32)[part]
    radius = (1 + taper) / 2 + (taper - 1) / 2 * unit[2]
    slope = -radius * (taper - 1) / 2 / half[2]
    gradient[:, wall] = np.stack([unit[0] / half[0], unit[1] / half[1], slope])[:, wall]
    cap = (solid == Solid.FRUSTUM) & ~wall
    gradient[:, cap] = np.stack([0 * unit[0], 0 * unit[0], np.sign(unit[2])])[:, cap]
    return gradient / np.maximum(np.sqrt((gradient * gradient).sum(0)), 1e-9)


def _texture_colour(local, normal, half, parts: Parts, part, footprint) -> np.ndarray:
    """Texture colour at points of the part frame (metres)."""
    texture = parts.texture[part]
    share = np.zeros(len(part), np.float32)
    for kind, pattern in _PATTERNS.items():
        at = np.flatnonzero(texture == kind)
        if len(at):
            seed = part[at].astype(np.float32) * 0.731
            share[at] = pattern(local[:, at], normal[:, at], half[:, at], footprint[at], seed)
    colour, accent = _of_hits(parts.colour, part), _of_hits(parts.accent, part)
    return colour + (accent - colour) * share


def _along_wall(local, normal) -> np.ndarray:
    """Horizontal coordinate on the side faces of a box."""
    return np.where(np.abs(normal[0]) > np.abs(normal[1]), local[1], local[0])


def _facade(local, normal, half, footprint, seed) -> np.ndarray:
    """Rows of windows, taller on the ground floor."""
    along, height = _along_wall(local, normal) + half[0], local[2] + half[2]
    column, floor = along % 2.4, (height - 3.4) % 3.0
    window = band(column, 0.55, 1.85, footprint) * band(floor, 0.8, 2.3, footprint)
    shop = band(along % 4.8, 0.4, 4.4, footprint) * band(height, 0.5, 2.8, footprint)
    upper = height > 3.4
    tone = 0.85 + 0.15 * noise(
        np.floor(along / 2.4) + seed, np.floor(height / 3.0), 1.0, footprint * 0
    )
    return np.where(upper, window, shop) * np.clip(tone, 0.5, 1) * (np.abs(normal[2]) < 0.5)


def _diagonal(local, normal, half, footprint, seed) -> np.ndarray:
    """Slanted stripes, 0.6 m period."""
    phase = (local[1] + local[0] + local[2]) % 0.6
    return np.maximum(
        band(phase, 0.3, 0.6, 1.4 * footprint), band(phase + 0.6, 0.3, 0.6, 1.4 * footprint)
    )


def _bands(local, normal, half, footprint, seed) -> np.ndarray:
    """Two bands across the height."""
    z = (local[2] / half[2] + 1) / 2
    width = footprint / (2 * half[2])
    return band(z, 0.34, 0.52, width) + band(z, 0.68, 0.84, width)


def _hub(local, normal, half, footprint, seed) -> np.ndarray:
    """A disc in the middle of the caps."""
    radius = np.sqrt(local[0] ** 2 + local[1] ** 2) / half[0]
    return (radius < 0.6) * (np.abs(normal[2]) > 0.5)


def _panes(local, normal, half, footprint, seed) -> np.ndarray:
    """Vertical posts between window panes, 1.25 m apart, on the long sides."""
    post = band((local[0] + half[0] + 0.04) % 1.25, 0, 0.09, footprint)
    return post * (np.abs(normal[1]) > 0.5)


def _ribs(local, normal, half, footprint, seed) -> np.ndarray:
    """Vertical ribs, 0.5 m apart, on the sides; all different, as a periodic pattern is ambiguous
    in stereo matching."""
    along = _along_wall(local, normal)
    rib, still = np.floor(along / 0.5) + seed, 0 * footprint
    width = np.clip(0.2 + 0.1 * noise(rib, seed, 1.0, still), 0.08, 0.4)
    tone = np.clip(0.8 + 0.25 * noise(rib, seed + 5, 1.0, still), 0.3, 1)
    return tone * band(along % 0.5, 0, width, footprint) * (np.abs(normal[2]) < 0.5)


def _leaves(local, normal, half, footprint, seed) -> np.ndarray:
    """Dark specks."""
    speck = noise(local[0] + local[2] * 0.7 + seed, local[1] + local[2] * 0.9, 0.22, footprint)
    return np.clip(0.45 + 0.5 * speck, 0, 1)


_PATTERNS = {
    Texture.FACADE: _facade,
    Texture.DIAGONAL: _diagonal,
    Texture.BANDS: _bands,
    Texture.HUB: _hub,
    Texture.PANES: _panes,
    Texture.RIBS: _ribs,
    Texture.LEAVES: _leaves,
}


def _sky(direction: np.ndarray) -> np.ndarray:
    up = direction[2] / np.sqrt((direction * direction).sum(0))
    share = np.clip(up / 0.45, 0, 1) ** 0.7
    return _HORIZON[:, None] + (_ZENITH - _HORIZON)[:, None] * share


def _haze(colour: np.ndarray, distance: np.ndarray) -> np.ndarray:
    share = 1 - np.exp(-distance / _HAZE_LENGTH)
    return colour + (_HORIZON[:, None] - colour) * share
