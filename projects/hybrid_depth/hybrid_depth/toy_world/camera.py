"""Pinhole camera images, depth maps and labels of the toy world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .labels import LabelImages, label_rays
from .raycast import cast
from .rays import pinhole
from .scene import Scene
from .shading import shade

#: Largest distance of rendered parts, metres.
SIGHT = 110.0


@dataclass(frozen=True)
class RenderedView:
    """Camera image with visibility of the actors.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        covered: (A,) number of rays that meet each actor, occlusion ignored.
        visible: (A,) number of rays that end on each actor.
    """

    image: np.ndarray
    covered: np.ndarray
    visible: np.ndarray


def render_view(
    scene: Scene,
    cam2world: np.ndarray,
    cam2img: np.ndarray,
    size: tuple[int, int],
    time: float,
    samples: int = 2,
) -> RenderedView:
    """Renders an image with ``samples`` x ``samples`` rays per pixel.

    Args:
        scene: the scene.
        cam2world: (4, 4) camera (x right, y down, z forward) to world.
        cam2img: (3, 3) intrinsics, integer coordinates are pixel centres.
        size: width and height, pixels.
        time: seconds after the start of the scene.
        samples: rays per pixel in each direction.
    """
    width, height = size
    fine = np.diag([samples, samples, 1.0]) @ cam2img
    fine[:2, 2] += (samples - 1) / 2
    grid = pinhole(cam2world, fine, (width * samples, height * samples))
    parts = scene.parts(time, grid.origin[:2], SIGHT)
    hits = cast(grid, parts, len(scene.actors))
    image = shade(grid, hits, parts, scene.feet(time), scene.street, scene.sun)
    image = image.reshape(height, samples, width, samples, 3)
    rays = [image[:, row, :, column] for row in range(samples) for column in range(samples)]
    image = sum(rays) / samples**2  # not mean(), which is slow over short axes
    actor = parts.actor[hits.part[hits.part >= 0]]
    visible = np.bincount(actor[actor >= 0], minlength=len(scene.actors))
    return RenderedView((image * 255 + 0.5).astype(np.uint8), hits.covered, visible)


def depth_map(
    scene: Scene, cam2world: np.ndarray, cam2img: np.ndarray, size: tuple[int, int], time: float
) -> np.ndarray:
    """Depth map along the optical axis, at the pixel centres.

    Arguments as in :func:`render_view`.

    Returns:
        (H, W) float64 metres, inf for the sky.
    """
    return labelled_depth(scene, cam2world, cam2img, size, time)[0]


def labelled_depth(
    scene: Scene, cam2world: np.ndarray, cam2img: np.ndarray, size: tuple[int, int], time: float
) -> tuple[np.ndarray, LabelImages]:
    """Depth map as of :func:`depth_map`, and the labels of the same rays."""
    grid = pinhole(cam2world, cam2img, size, np.float64)
    parts = scene.parts(time, grid.origin[:2], SIGHT)
    hits = cast(grid, parts, len(scene.actors))
    return hits.distance, label_rays(scene, grid, hits, parts)
