"""Other colours and patterns of the surfaces of a scene, whose shapes and motions stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .scene import Scene
from .shapes import Parts, Texture
from .street import GroundPaint

#: Patterns that change places; plain surfaces stay plain, and hubs are of wheels alone.
_PATTERNS = (
    Texture.FACADE,
    Texture.DIAGONAL,
    Texture.BANDS,
    Texture.PANES,
    Texture.RIBS,
    Texture.LEAVES,
)


def with_textures(scene: Scene, seed: int) -> Scene:
    """The scene in other textures: colour channels and patterns change places.

    Args:
        scene: any scene.
        seed: 0 for the textures that the scene has; others draw the change, equal for all scenes.

    Example:
        >>> from hybrid_depth.toy_world.population import make_scene
        >>> scene = make_scene(seed=0, index=0, duration=1.0)
        >>> other = with_textures(scene, 1)
        >>> bool((other.scenery.centre == scene.scenery.centre).all())
        True
        >>> bool((other.scenery.colour == scene.scenery.colour).all())
        False
    """
    if seed == 0:
        return scene
    rng = np.random.default_rng([seed, len(_PATTERNS)])
    channels = np.roll(np.arange(3), rng.integers(1, 3))  # never grey to grey alone
    table = np.arange(len(Texture), dtype=np.int8)
    table[list(_PATTERNS)] = np.roll(_PATTERNS, rng.integers(1, len(_PATTERNS)))

    def painted(parts: Parts) -> Parts:
        return replace(
            parts,
            texture=table[parts.texture],
            colour=parts.colour[:, channels],
            accent=parts.accent[:, channels],
        )

    return replace(
        scene,
        street=replace(scene.street, paint=_ground_paint(rng, channels)),
        actors=tuple(replace(actor, parts=painted(actor.parts)) for actor in scene.actors),
        scenery=painted(scene.scenery),
    )


def _ground_paint(rng: np.random.Generator, channels: np.ndarray) -> GroundPaint:
    """Ground of permuted channels and other brightness, with smaller or larger tiles."""
    standard = GroundPaint()
    colours = {
        name: tuple(np.array(getattr(standard, name))[channels] * rng.uniform(0.75, 1.25))
        for name in ('asphalt', 'pavement', 'kerb', 'grass')
    }
    return GroundPaint(**colours, tile=float(rng.choice([0.6, 0.9, 2.4])))
