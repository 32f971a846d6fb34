"""Solid parts from which all objects of the toy world are built.

A part is a unit solid (box, ellipsoid or frustum), scaled by half sizes, rotated and translated.
The parts of a frame are one struct of arrays, which the renderer processes together.

Frame of an object: x forward, y left, z up, origin on the ground below its centre.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np

from .surfaces import SEMANTIC_IDS

#: Margin between the parts of an object and its annotated box, metres.
BOX_MARGIN = 0.02
#: Height of the lowest part above the ground, so that no ground return falls into an annotated box.
GROUND_CLEARANCE = 0.03


class Solid(IntEnum):
    """Box [-1, 1]^3, unit ball, frustum of radius 1 at z = -1 and ``taper`` at z = 1."""

    BOX = 0
    ELLIPSOID = 1
    FRUSTUM = 2


class Texture(IntEnum):
    """Pattern of ``colour`` and ``accent`` on a part."""

    PLAIN = 0
    FACADE = 1
    DIAGONAL = 2
    BANDS = 3
    HUB = 4
    PANES = 5
    RIBS = 6
    LEAVES = 7


@dataclass(frozen=True)
class Parts:
    """Struct of arrays over P parts.

    Attributes:
        solid: (P,) values of :class:`Solid`.
        texture: (P,) values of :class:`Texture`.
        actor: (P,) index of the actor, -1 for scenery.
        semantic: (P,) uint8 Cityscapes train id, 255 for none.
        centre: (P, 3) metres.
        rotation: (P, 3, 3) part axes to the frame of ``centre``.
        half: (P, 3) half sizes along the part axes, metres.
        taper: (P,) radius at the top of a frustum relative to its bottom.
        colour: (P, 3) RGB in [0, 1].
        accent: (P, 3) RGB in [0, 1], second colour of a texture.
    """

    solid: np.ndarray
    texture: np.ndarray
    actor: np.ndarray
    semantic: np.ndarray
    centre: np.ndarray
    rotation: np.ndarray
    half: np.ndarray
    taper: np.ndarray
    colour: np.ndarray
    accent: np.ndarray

    def __len__(self) -> int:
        return len(self.solid)

    @classmethod
    def concatenate(cls, groups: list[Parts]) -> Parts:
        """Joins groups of parts, in order."""
        return cls(
            **{f.name: np.concatenate([getattr(g, f.name) for g in groups]) for f in fields(cls)}
        )

    def take(self, index: np.ndarray) -> Parts:
        """The parts selected by an index or mask."""
        return Parts(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def of_actor(self, actor: int) -> Parts:
        """The same parts, assigned to an actor."""
        return self._replace(actor=np.full(len(self), actor, np.int32))

    def placed(self, position: np.ndarray, yaw: np.ndarray) -> Parts:
        """Moves parts from their object frames into the world.

        Args:
            position: (3,) or (P, 3) origin of the object in the world, metres.
            yaw: scalar or (P,) heading of the object, radians.
        """
        turn = rotation_z(np.broadcast_to(yaw, (len(self),)))
        return self._replace(
            centre=np.einsum('pij,pj->pi', turn, self.centre) + position,
            rotation=np.einsum('pij,pjk->pik', turn, self.rotation),
        )

    def corners(self) -> np.ndarray:
        """(P, 8, 3) corners of the box around every part."""
        signs = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1], indexing='ij'), -1).reshape(8, 3)
        return self.centre[:, None] + np.einsum(
            'pij,pkj->pki', self.rotation, signs[None] * self.half[:, None]
        )

    def _replace(self, **changes: np.ndarray) -> Parts:
        return Parts(**{f.name: changes.get(f.name, getattr(self, f.name)) for f in fields(self)})


def rotation_z(angle: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotation about z by ``angle`` radians."""
    angle = np.asarray(angle, np.float64)
    cos, sin = np.cos(angle), np.sin(angle)
    zero, one = np.zeros_like(cos), np.ones_like(cos)
    rows = [cos, -sin, zero, sin, cos, zero, zero, zero, one]
    return np.stack(rows, -1).reshape(*angle.shape, 3, 3)


def rotation_y(angle: float) -> np.ndarray:
    """(3, 3) rotation about y; a positive angle turns the front (x) down."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])


#: Rotations of the z axis of a frustum to the named axis.
_AXES = {
    'x': np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]),
    'y': np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    'z': np.eye(3),
}


class ShapeBuilder:
    """Builder of the parts of one object; ``finish`` returns them and the size of their box.

    Args:
        surface: class of the parts, a key of ``SEMANTIC_IDS``; may change between parts.
    """

    def __init__(self, surface: str) -> None:
        self.surface = surface
        self._rows: list[tuple] = []

    def box(self, x, y, z, colour, texture=Texture.PLAIN, accent=None, pitch: float = 0.0) -> None:
        """Adds a box over intervals (metres), rotated about its centre by ``pitch``."""
        low, high = np.array([x, y, z], np.float64).T
        self._add(
            Solid.BOX,
            texture,
            (low + high) / 2,
            (high - low) / 2,
            rotation_y(pitch),
            1.0,
            colour,
            accent,
        )

    def cylinder(
        self,
        centre,
        radius,
        length,
        colour,
        axis='z',
        taper=1.0,
        texture=Texture.PLAIN,
        accent=None,
    ) -> None:
        """Adds a cylinder of ``length`` along ``axis``, or a cone where ``taper`` is below 1."""
        half = (radius, radius, length / 2) if np.isscalar(radius) else (*radius, length / 2)
        self._add(Solid.FRUSTUM, texture, centre, half, _AXES[axis], taper, colour, accent)

    def ellipsoid(self, centre, half, colour, texture=Texture.PLAIN, accent=None) -> None:
        """Adds an ellipsoid."""
        self._add(Solid.ELLIPSOID, texture, centre, half, np.eye(3), 1.0, colour, accent)

    def _add(self, solid, texture, centre, half, rotation, taper, colour, accent) -> None:
        accent = colour if accent is None else accent
        semantic = SEMANTIC_IDS[self.surface]
        self._rows.append(
            (solid, texture, -1, semantic, centre, rotation, half, taper, colour, accent)
        )

    def parts(self) -> Parts:
        """All parts, in order of addition."""
        columns = [np.array(column) for column in zip(*self._rows, strict=True)]
        kinds = (np.int8, np.int8, np.int32, np.uint8) + (np.float64,) * 6
        return Parts(*(c.astype(k) for c, k in zip(columns, kinds, strict=True)))

    def finish(self) -> tuple[Parts, np.ndarray]:
        """Centres the parts above the origin.

        Returns:
            The parts and the size (width, length, height) of their box, ``BOX_MARGIN`` included.
        """
        parts = self.parts()
        points = parts.corners().reshape(-1, 3)
        low, high = points.min(0), points.max(0)
        shift = np.array([*(-(low + high)[:2] / 2), GROUND_CLEARANCE - low[2]])
        length, width, height = high - low + 2 * BOX_MARGIN
        return parts._replace(centre=parts.centre + shift), np.array([width, length, height])
