"""Shapes of the five vehicle classes: car, truck, bus, trailer, construction vehicle."""

from __future__ import annotations

import numpy as np

from .shapes import Parts, ShapeBuilder, Texture

TYRE = (0.06, 0.06, 0.07)
RIM = (0.55, 0.56, 0.58)
GLASS = (0.15, 0.20, 0.25)
CHASSIS = (0.13, 0.13, 0.14)
HEADLIGHT = (1.0, 0.97, 0.80)
TAILLIGHT = (0.78, 0.05, 0.05)

#: One hue per class, so that a training of minutes can distinguish them.
CAR_COLOURS = np.array([[0.10, 0.22, 0.62], [0.16, 0.34, 0.74], [0.10, 0.15, 0.46]])


def tint(rng: np.random.Generator, colour, spread: float = 0.05) -> tuple:
    """A colour near ``colour``: common brightness and small hue variation."""
    colour = np.asarray(colour) * rng.uniform(0.88, 1.12) + rng.uniform(-spread, spread, 3)
    return tuple(np.clip(colour, 0.02, 0.98))


def wheels(shape: ShapeBuilder, axles, half_track: float, radius: float, width: float) -> None:
    """Adds a pair of wheels at every axle position x."""
    for x in axles:
        for side in (-1, 1):
            y = side * (half_track - width / 2)
            shape.cylinder(
                (x, y, radius), radius, width, TYRE, 'y', texture=Texture.HUB, accent=RIM
            )


def lights(
    shape: ShapeBuilder, front: float, rear: float, half_width: float, z: float, size: float
) -> None:
    """Adds head lights at x = front and tail lights at x = rear, which make the heading visible."""
    for side in (-1, 1):
        y = sorted((side * half_width * 0.95, side * (half_width * 0.95 - 2.2 * size)))
        shape.box((front - 0.05, front + 0.02), y, (z, z + size), HEADLIGHT)
        shape.box((rear - 0.02, rear + 0.05), y, (z, z + size), TAILLIGHT)


def car(rng: np.random.Generator) -> tuple[Parts, np.ndarray]:
    """A sedan: bonnet in front, glass cabin behind the middle."""
    length, width = rng.normal(4.6, 0.22), rng.normal(1.88, 0.06)
    height = rng.normal(1.62, 0.08)
    body = tint(rng, CAR_COLOURS[rng.integers(len(CAR_COLOURS))])
    x, y, belt = length / 2, width / 2, 0.56 * height
    shape = ShapeBuilder('car')
    shape.box((-x, x), (-y, y), (0.22, belt * 0.93), body)
    shape.box((-x * 0.96, x * 0.62), (-y * 0.97, y * 0.97), (belt * 0.9, belt), body)
    shape.box(
        (-x * 0.80, x * 0.34),
        (-y * 0.88, y * 0.88),
        (belt, height - 0.07),
        GLASS,
        Texture.PANES,
        body,
    )
    shape.box((-x * 0.74, x * 0.20), (-y * 0.86, y * 0.86), (height - 0.07, height), body)
    shape.box(
        (x * 0.16, x * 0.46), (-y * 0.82, y * 0.82), (belt - 0.12, belt + 0.34), GLASS, pitch=0.75
    )
    shape.box((x - 0.06, x + 0.03), (-y * 0.6, y * 0.6), (0.24, 0.5), CHASSIS)
    wheels(shape, (-0.30 * length, 0.31 * length), y + 0.02, 0.33, 0.24)
    lights(shape, x, -x, y, belt * 0.68, 0.15)
    return shape.finish()


def truck(rng: np.random.Generator) -> tuple[Parts, np.ndarray]:
    """A green cab in front of a cargo box of lighter green."""
    length, width = rng.normal(7.0, 0.5), rng.normal(2.45, 0.08)
    height, cab_length = rng.normal(3.1, 0.15), 1.9
    cab, box = tint(rng, (0.08, 0.46, 0.22)), tint(rng, (0.34, 0.70, 0.34))
    x, y = length / 2, width / 2
    split, cab_top = x - cab_length, height * 0.82
    shape = ShapeBuilder('truck')
    shape.box((-x * 0.97, x * 0.9), (-y * 0.7, y * 0.7), (0.45, 0.9), CHASSIS)
    shape.box(
        (-x, split - 0.25), (-y, y), (0.9, height), box, Texture.RIBS, tint(rng, (0.26, 0.58, 0.28))
    )
    shape.box((split, x), (-y * 0.94, y * 0.94), (0.45, cab_top), cab)
    shape.box((x - 0.1, x + 0.02), (-y * 0.84, y * 0.84), (cab_top * 0.58, cab_top * 0.92), GLASS)
    shape.box(
        (split + 0.45, x - 0.25), (-y * 0.95, y * 0.95), (cab_top * 0.58, cab_top * 0.9), GLASS
    )
    wheels(shape, (-0.72 * x, -0.36 * x, x - 1.0), y * 0.98, 0.47, 0.32)
    lights(shape, x, -x, y * 0.94, 0.62, 0.2)
    return shape.finish()


def bus(rng: np.random.Generator) -> tuple[Parts, np.ndarray]:
    """A long violet body with a band of windows on both sides."""
    length, width = rng.normal(10.6, 0.5), rng.normal(2.85, 0.06)
    height = rng.normal(3.35, 0.1)
    body = tint(rng, (0.48, 0.16, 0.58))
    x, y = length / 2, width / 2
    shape = ShapeBuilder('bus')
    shape.box((-x, x), (-y, y), (0.35, height - 0.15), body)
    shape.box(
        (-x * 0.96, x * 0.90), (-y - 0.015, y + 0.015), (1.35, 2.55), GLASS, Texture.PANES, body
    )
    shape.box((-x, x), (-y - 0.01, y + 0.01), (0.95, 1.15), tint(rng, (0.92, 0.90, 0.94)))
    shape.box((x - 0.1, x + 0.03), (-y * 0.93, y * 0.93), (1.15, 2.7), GLASS)
    shape.box((x - 0.1, x + 0.04), (-y * 0.6, y * 0.6), (2.75, 3.05), (0.98, 0.75, 0.10))
    shape.box(
        (-x * 0.9, -x * 0.3),
        (-y * 0.7, y * 0.7),
        (height - 0.15, height),
        tint(rng, (0.8, 0.8, 0.82)),
    )
    wheels(shape, (-0.55 * x, 0.58 * x), y + 0.02, 0.48, 0.32)
    lights(shape, x, -x, y, 0.6, 0.22)
    return shape.finish()


def trailer(rng: np.random.Generator) -> tuple[Parts, np.ndarray]:
    """A tall turquoise box on wheels at its rear, with a red and white board behind and no cab."""
    length, width = rng.normal(9.6, 0.6), rng.normal(2.65, 0.08)
    height = rng.normal(3.75, 0.1)
    box = tint(rng, (0.25, 0.72, 0.74))
    x, y = length / 2, width / 2
    shape = ShapeBuilder('trailer')
    shape.box((-x, x), (-y, y), (1.15, height), box, Texture.RIBS, tint(rng, (0.17, 0.56, 0.60)))
    shape.box((-x * 0.98, x * 0.85), (-y * 0.6, y * 0.6), (0.7, 1.15), CHASSIS)
    shape.box(
        (-x - 0.02, -x + 0.05),
        (-y, y),
        (0.75, 1.15),
        (0.85, 0.1, 0.1),
        Texture.DIAGONAL,
        (0.95, 0.95, 0.95),
    )
    shape.box((x * 0.52, x * 0.56), (-y * 0.75, y * 0.75), (0.02, 0.9), CHASSIS)
    wheels(shape, (-0.78 * x, -0.52 * x), y * 0.98, 0.5, 0.36)
    return shape.finish()


def construction_vehicle(rng: np.random.Generator) -> tuple[Parts, np.ndarray]:
    """A yellow excavator: tracks, engine behind, cab, boom and bucket in front."""
    scale = rng.normal(1.0, 0.05)
    yellow, dark = tint(rng, (0.93, 0.70, 0.06), 0.03), tint(rng, (0.15, 0.15, 0.15), 0.02)
    shape = ShapeBuilder('construction_vehicle')

    def box(x, y, z, colour, pitch=0.0):
        shape.box(*(np.array(v) * scale for v in (x, y, z)), colour, pitch=pitch)

    for side in (-1, 1):
        box((-2.1, 1.7), sorted((side * 0.75, side * 1.35)), (0.0, 0.8), dark)
        for x in (-1.85, 1.45):
            shape.cylinder(
                np.array([x, side * 1.05, 0.42]) * scale,
                0.42 * scale,
                0.62 * scale,
                dark,
                'y',
                texture=Texture.HUB,
                accent=yellow,
            )
    box((-2.0, 1.3), (-1.25, 1.25), (0.85, 1.25), yellow)
    box((-2.6, -0.5), (-1.3, 1.3), (1.2, 2.2), yellow)
    box((-2.62, -2.5), (-0.9, 0.9), (1.4, 1.9), dark)
    box((-0.4, 1.1), (0.2, 1.25), (1.25, 2.85), GLASS)
    box((-0.5, 1.15), (0.15, 1.3), (2.85, 3.0), yellow)
    box((0.2, 3.6), (-0.6, -0.2), (2.1, 2.55), yellow, -0.45)
    box((2.5, 4.3), (-0.55, -0.25), (2.0, 2.3), yellow, 1.25)
    box((2.9, 3.7), (-0.9, 0.1), (0.35, 1.1), dark)
    return shape.finish()
