"""Objects along the street without annotations: buildings, lamp posts, trees."""

from __future__ import annotations

import numpy as np

from .shapes import Parts, ShapeBuilder, Texture
from .vehicles import tint

WALLS = np.array(
    [
        [0.60, 0.50, 0.42],
        [0.68, 0.64, 0.58],
        [0.52, 0.40, 0.36],
        [0.58, 0.60, 0.62],
        [0.70, 0.60, 0.46],
    ]
)


def building(rng: np.random.Generator, length: float) -> Parts:
    """A building, ``length`` metres long in x, with its front at y = 0 and extending to y < 0."""
    height, depth = rng.uniform(6.5, 15.0), rng.uniform(8.0, 12.0)
    wall, glass = tint(rng, WALLS[rng.integers(len(WALLS))]), tint(rng, (0.16, 0.20, 0.26), 0.03)
    shape = ShapeBuilder('building')
    shape.box((-length / 2, length / 2), (-depth, 0), (0, height), wall, Texture.FACADE, glass)
    trim = tuple(0.75 * np.array(wall))
    shape.box((-length / 2, length / 2), (-depth, 0.25), (height, height + 0.4), trim)
    if rng.random() < 0.6:
        awning = tint(rng, (0.35, 0.42, 0.45))
        shape.box((-length * 0.4, length * 0.4), (-0.1, 1.0), (2.9, 3.05), awning)
    return shape.parts()


def lamp_post(rng: np.random.Generator) -> Parts:
    """A lamp post whose arm points along y."""
    height, grey = rng.uniform(6.0, 7.5), (0.35, 0.37, 0.38)
    shape = ShapeBuilder('pole')
    shape.cylinder((0, 0, height / 2), 0.09, height, grey, taper=0.7)
    shape.box((-0.05, 0.05), (0, 1.8), (height - 0.1, height), grey)
    shape.box((-0.14, 0.14), (1.4, 2.1), (height - 0.18, height - 0.08), (0.85, 0.85, 0.8))
    return shape.parts()


def tree(rng: np.random.Generator) -> Parts:
    """A tree: trunk and a raised crown of three ellipsoids."""
    shape = ShapeBuilder('tree')
    shape.cylinder((0, 0, 1.7), 0.16, 3.4, tint(rng, (0.30, 0.21, 0.13), 0.02), taper=0.8)
    leaf = tint(rng, (0.16, 0.36, 0.12), 0.03)
    for _ in range(3):
        centre = (*rng.uniform(-0.7, 0.7, 2), rng.uniform(4.2, 5.4))
        shape.ellipsoid(
            centre, rng.uniform(1.1, 1.7, 3), leaf, Texture.LEAVES, tuple(0.6 * np.array(leaf))
        )
    return shape.parts()
