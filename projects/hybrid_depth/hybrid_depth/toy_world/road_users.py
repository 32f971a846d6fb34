"""Shapes of the small classes: barrier, motorcycle, bicycle, pedestrian, traffic cone."""

from __future__ import annotations

import numpy as np

from .shapes import Parts, ShapeBuilder, Texture
from .vehicles import HEADLIGHT, RIM, TAILLIGHT, TYRE, tint

SKIN = (0.80, 0.60, 0.48)
TROUSERS = (0.12, 0.14, 0.24)


def barrier(rng: np.random.Generator) -> tuple[Parts, np.ndarray]:
    """A red and white road barrier; as in nuScenes its long side is the width (y)."""
    width, height = rng.normal(2.3, 0.08), rng.normal(1.0, 0.04)
    y = width / 2
    red, white = tint(rng, (0.86, 0.10, 0.08), 0.03), (0.94, 0.94, 0.94)
    shape = ShapeBuilder('barrier')
    shape.box((-0.10, 0.10), (-y, y), (0.42, height), red, Texture.DIAGONAL, white)
    shape.box((-0.17, 0.17), (-y * 0.98, y * 0.98), (0.16, 0.42), white)
    for side in (-1, 1):
        shape.box(
            (-0.25, 0.25), sorted((side * y * 0.95, side * y * 0.6)), (0, 0.16), (0.3, 0.3, 0.3)
        )
    return shape.finish()


def traffic_cone(rng: np.random.Generator) -> tuple[Parts, np.ndarray]:
    """An orange cone with white bands on a dark plate."""
    height, radius = rng.normal(0.98, 0.04), 0.19
    shape = ShapeBuilder('traffic_cone')
    shape.box((-0.22, 0.22), (-0.22, 0.22), (0, 0.06), (0.12, 0.12, 0.12))
    orange = tint(rng, (0.98, 0.40, 0.04), 0.02)
    shape.cylinder(
        (0, 0, 0.03 + height / 2),
        radius,
        height - 0.06,
        orange,
        taper=0.2,
        texture=Texture.BANDS,
        accent=(0.97, 0.97, 0.97),
    )
    return shape.finish()


def pedestrian(rng: np.random.Generator, walking: bool) -> tuple[Parts, np.ndarray]:
    """A person: legs apart along x when walking, torso, arms, head with hair at the back."""
    height = rng.normal(1.72, 0.08)
    top, stride = tint(rng, SHIRTS[rng.integers(len(SHIRTS))]), 0.16 if walking else 0.02
    hip, shoulder = 0.48 * height, 0.83 * height
    shape = ShapeBuilder('pedestrian')
    for side in (-1, 1):
        shape.cylinder((side * stride, side * 0.1, hip / 2), 0.085, hip, TROUSERS)
        shape.box(
            (side * stride - 0.1, side * stride + 0.16),
            (side * 0.1 - 0.06, side * 0.1 + 0.06),
            (0, 0.09),
            (0.1, 0.1, 0.1),
        )
        shape.cylinder(
            (-side * stride * 0.8, side * 0.27, (hip + shoulder) / 2),
            0.06,
            (shoulder - hip) * 1.05,
            top,
        )
    shape.cylinder((0, 0, (hip + shoulder) / 2), (0.14, 0.22), shoulder - hip, top, taper=0.9)
    shape.ellipsoid((0.01, 0, 0.92 * height), (0.105, 0.09, 0.08 * height), SKIN)
    shape.ellipsoid((-0.03, 0, 0.945 * height), (0.10, 0.095, 0.055 * height), (0.15, 0.09, 0.05))
    return shape.finish()


SHIRTS = np.array([[0.95, 0.50, 0.68], [0.98, 0.64, 0.78], [0.88, 0.40, 0.62]])


def _rider(shape: ShapeBuilder, seat: float, lean: float, top, helmet) -> None:
    """Adds a person sitting at height ``seat`` and leaning forward, as the last parts."""
    shape.surface = 'rider'
    shape.box((-0.28, 0.02), (-0.2, 0.2), (seat, seat + 0.58), top, pitch=lean)
    for side in (-1, 1):
        shape.box(
            (-0.2, 0.3),
            sorted((side * 0.1, side * 0.22)),
            (seat - 0.12, seat + 0.04),
            TROUSERS,
            pitch=0.25,
        )
        shape.box(
            (0.16, 0.28), sorted((side * 0.11, side * 0.21)), (seat - 0.55, seat - 0.05), TROUSERS
        )
        shape.box(
            (-0.1, 0.45),
            sorted((side * 0.2, side * 0.28)),
            (seat + 0.3, seat + 0.4),
            top,
            pitch=0.35,
        )
    shape.ellipsoid((0.0, 0, seat + 0.74), (0.13, 0.11, 0.14), helmet)


def motorcycle(rng: np.random.Generator, rider: bool) -> tuple[Parts, np.ndarray]:
    """A heavy black machine with a red tank, thick wheels and, moving, a rider in black."""
    red, black = tint(rng, (0.82, 0.05, 0.30), 0.03), (0.07, 0.07, 0.08)
    shape = ShapeBuilder('motorcycle')
    for x in (-0.7, 0.7):
        shape.cylinder((x, 0, 0.32), 0.32, 0.16, TYRE, 'y', texture=Texture.HUB, accent=RIM)
    shape.box((-0.45, 0.4), (-0.17, 0.17), (0.28, 0.66), (0.3, 0.3, 0.32))
    shape.ellipsoid((0.18, 0, 0.82), (0.36, 0.2, 0.18), red)
    shape.box((-0.95, -0.1), (-0.16, 0.16), (0.72, 0.86), black)
    shape.box((0.62, 0.92), (-0.2, 0.2), (0.62, 1.12), red, pitch=-0.35)
    shape.box((0.38, 0.5), (-0.4, 0.4), (1.0, 1.06), black)
    shape.box((0.88, 0.98), (-0.1, 0.1), (0.82, 0.98), HEADLIGHT)
    shape.box((-1.0, -0.94), (-0.1, 0.1), (0.72, 0.84), TAILLIGHT)
    if rider:
        _rider(shape, 0.86, 0.3, (0.10, 0.10, 0.12), red)
    return shape.finish()


def bicycle(rng: np.random.Generator, rider: bool) -> tuple[Parts, np.ndarray]:
    """Thin wheels, a bright green frame and, moving, a rider in lime."""
    frame = tint(rng, (0.25, 0.85, 0.25), 0.03)
    shape = ShapeBuilder('bicycle')
    for x in (-0.52, 0.52):
        shape.cylinder(
            (x, 0, 0.34), 0.34, 0.05, TYRE, 'y', texture=Texture.HUB, accent=(0.62, 0.66, 0.62)
        )
    shape.box((-0.5, 0.5), (-0.03, 0.03), (0.66, 0.73), frame)
    shape.box((-0.55, 0.05), (-0.03, 0.03), (0.36, 0.42), frame, pitch=0.1)
    shape.box((-0.1, 0.5), (-0.03, 0.03), (0.48, 0.55), frame, pitch=-0.7)
    shape.box((-0.26, -0.18), (-0.03, 0.03), (0.3, 0.92), frame)
    shape.box((0.4, 0.47), (-0.03, 0.03), (0.4, 1.0), frame)
    shape.box((0.36, 0.46), (-0.28, 0.28), (0.98, 1.03), (0.1, 0.1, 0.1))
    shape.box((-0.36, -0.1), (-0.08, 0.08), (0.92, 0.98), (0.1, 0.1, 0.1))
    if rider:
        _rider(shape, 0.96, 0.45, tint(rng, (0.55, 0.90, 0.15), 0.03), (0.95, 0.95, 0.95))
    return shape.finish()
