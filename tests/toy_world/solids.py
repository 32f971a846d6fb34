"""Hand-made parts and cameras for tests of the ray caster."""

import numpy as np

from hybrid_depth.toy_world.rays import RayGrid, pinhole
from hybrid_depth.toy_world.shapes import Parts, Solid

WIDTH, HEIGHT, FOCAL = 60, 40, 50.0
#: Camera 1.5 m above the ground facing x.
FORWARD = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]])
CAM2IMG = np.array([[FOCAL, 0, 30], [0, FOCAL, 20], [0, 0, 1.0]])


def look_forward() -> RayGrid:
    return pinhole(FORWARD, CAM2IMG, (WIDTH, HEIGHT), np.float64)


def solid(kind: Solid, centre, half, rotation=None, taper=1.0, actor=0) -> Parts:
    """One part."""
    colour = np.ones((1, 3))
    return Parts(
        solid=np.array([kind]),
        texture=np.zeros(1, int),
        actor=np.array([actor]),
        semantic=np.array([13], np.uint8),
        centre=np.array([centre], float),
        rotation=np.eye(3)[None] if rotation is None else rotation[None],
        half=np.array([half], float),
        taper=np.array([taper]),
        colour=colour,
        accent=colour,
    )


def is_inside(kind: Solid, points: np.ndarray, taper: float) -> np.ndarray:
    """Whether points (..., 3) of the unit frame are in the solid, from its definition."""
    x, y, z = np.moveaxis(points, -1, 0)
    if kind == Solid.BOX:
        return (np.abs(points) <= 1).all(-1)
    if kind == Solid.ELLIPSOID:
        return (points**2).sum(-1) <= 1
    radius = (1 + taper) / 2 + (taper - 1) / 2 * z
    return (np.abs(z) <= 1) & (np.hypot(x, y) <= radius)
