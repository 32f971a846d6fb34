"""Label images of the toy world: semantic classes, instances and moving objects."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from ..datasets.label_images import MOVING, label_path, write_label_image
from .raycast import GROUND, SKY, Hits
from .rays import RayGrid
from .scene import Scene
from .shapes import Parts
from .street import KERB, SIDEWALK_EDGE
from .surfaces import SEMANTIC_IDS


@dataclass(frozen=True)
class LabelImages:
    """Labels of an image, in the format of :mod:`hybrid_depth.datasets.label_images`.

    Attributes:
        semantic: (H, W) uint8 Cityscapes train ids.
        instance: (H, W) uint16 number of the actor in its scene, from 1.
        moving: (H, W) uint8, 255 on moving actors.
    """

    semantic: np.ndarray
    instance: np.ndarray
    moving: np.ndarray

    def write(self, root: Path, image: Path) -> None:
        """Writes the labels of ``image`` to ``root/semantic``, ``instance`` and ``moving``."""
        for field in fields(self):
            path = label_path(root / field.name, image, root)
            write_label_image(getattr(self, field.name), path)


def label_rays(scene: Scene, grid: RayGrid, hits: Hits, parts: Parts) -> LabelImages:
    """Labels of an image with one ray per pixel, from the hits of its rays.

    Args:
        scene: the scene.
        grid: rays.
        hits: result of :func:`raycast.cast` on ``parts``.
        parts: solids, world frame.
    """
    semantic = np.empty(grid.shape, np.uint8)
    instance = np.zeros(grid.shape, np.uint16)
    semantic[hits.part == SKY] = SEMANTIC_IDS['sky']
    ground, solid = hits.part == GROUND, hits.part >= 0
    semantic[ground] = _ground(scene, grid, hits.distance, ground)
    semantic[solid] = parts.semantic[hits.part[solid]]
    instance[solid] = parts.actor[hits.part[solid]] + 1
    moving = np.array([False, *(actor.speed != 0 for actor in scene.actors)])
    return LabelImages(semantic, instance, moving[instance] * np.uint8(MOVING))


def _ground(scene: Scene, grid: RayGrid, distance: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(N,) semantic ids of the rays of ``mask``, which hit the ground."""
    row, col = np.nonzero(mask)
    x, y, _ = grid.origin[:, None] + grid.directions(row, col) * distance[mask]
    side = np.abs(scene.street.locate(x, y)[1])
    road, sidewalk, grass = (np.uint8(SEMANTIC_IDS[k]) for k in ('road', 'sidewalk', 'grass'))
    return np.where(side < KERB, road, np.where(side < SIDEWALK_EDGE, sidewalk, grass))
