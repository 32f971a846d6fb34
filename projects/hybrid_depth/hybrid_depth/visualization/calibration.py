"""Calibration drawn into a camera image: boxes, LiDAR points, and the horizon of the ground."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .boxes import SceneBoxes, project_points
from .camera import draw_camera_boxes
from .colors import RGB, TEXT
from .depth import colorize_depth
from .strokes import Text, clip_to_image, draw_segments, draw_texts

HORIZON: RGB = (255, 64, 255)
_RINGS = (10.0, 20.0, 40.0)  # metres
_RANGE = (2.0, 60.0)  # metres, of the colours of points
_LEGEND = 'dots: LiDAR, near is red   dashed: boxes   magenta: horizon, ground at 10, 20, 40 m'


def draw_calibration(
    image: np.ndarray,
    boxes: SceneBoxes,
    points: np.ndarray | None,
    ego2img: np.ndarray,
    class_names: Sequence[str],
    title: str,
) -> np.ndarray:
    """Camera image with all that its calibration maps into it.

    Args:
        image: (H, W, 3) uint8 RGB.
        boxes: ground-truth boxes in the ego frame.
        points: (P, 3) LiDAR points in the ego frame, or None.
        ego2img: (3, 4) projection into this image.
        class_names: name of each label.
        title: text in the upper left corner.

    Returns:
        A new (H, W, 3) uint8 image.
    """
    canvas = np.ascontiguousarray(image).copy()
    if points is not None:
        _draw_points(canvas, points, ego2img)
    canvas = draw_camera_boxes(canvas, boxes, ego2img, class_names, 'true')
    width = 1 + image.shape[1] // 800
    line = horizon(ego2img, image.shape[:2])
    draw_segments(canvas, line, HORIZON, width)
    for distance in _RINGS:
        draw_segments(canvas, _ground_ring(distance, ego2img, image.shape[:2]), HORIZON, 1)
    if image.shape[1] >= 480:
        size = 12 + image.shape[1] // 200
        shade = (0, 0, 0, 170)
        texts = [Text(8, 8 + size, title, size, TEXT, 'lm', shade)]
        texts.append(Text(8, image.shape[0] - size, _LEGEND, size, TEXT, 'lm', shade))
        draw_texts(canvas, texts)
    return canvas


def horizon(ego2img: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Horizon of the plane z = 0 of the ego frame in an image of (height, width).

    Returns:
        (1, 2, 2) segment in pixels, or (0, 2, 2) if it is outside of the image.
    """
    x, y = ego2img[:, 0], ego2img[:, 1]  # vanishing points of the axes
    a, b, c = np.cross(x, y)
    if abs(b) < 1e-9 * abs(a) or abs(a) + abs(b) < 1e-12:
        return np.empty((0, 2, 2))
    ends = np.array([[u, -(a * u + c) / b] for u in (0.0, size[1] - 1.0)])
    return clip_to_image(ends[None], size)[0]


def _ground_ring(distance: float, ego2img: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Visible segments of a circle on the ground around the ego vehicle."""
    angles = np.radians(np.arange(0, 361, 2))
    circle = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], 1) * distance
    circle[:, 2] = 0
    pixels, depth = project_points(circle, ego2img)
    ahead = (depth[:-1] > 0.5) & (depth[1:] > 0.5)
    return clip_to_image(np.stack([pixels[:-1], pixels[1:]], 1)[ahead], size)[0]


def _draw_points(canvas: np.ndarray, points: np.ndarray, ego2img: np.ndarray) -> None:
    pixels, depth = project_points(points, ego2img)
    height, width = canvas.shape[:2]
    inside = (depth > 0) & (pixels >= 0).all(1) & (pixels < (width, height)).all(1)
    radius = width // 800
    for place in np.flatnonzero(inside)[np.argsort(-depth[inside])]:  # near ones on top
        color = tuple(map(int, colorize_depth(depth[place], *_RANGE)))
        cv2.circle(canvas, tuple(map(int, pixels[place])), radius, color, -1)
