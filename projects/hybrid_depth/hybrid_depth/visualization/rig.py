"""A vehicle's cameras: ground grid, vehicle axes and other cameras' images in one image, and fields
of view from above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from .bev import bev_pixels
from .boxes import project_wires
from .colors import BACKGROUND, FAINT_TEXT, GRID, RGB, TEXT, class_colors
from .strokes import Text, draw_segments, draw_texts

GRID_COLOR: RGB = (150, 150, 150)
AXES: Mapping[str, tuple[tuple[float, float, float], RGB]] = {
    'x': ((1.0, 0.0, 0.0), (255, 70, 70)),
    'y': ((0.0, 1.0, 0.0), (90, 255, 90)),
}
_SPACING, _REACH = 5.0, 30.0  # metres, of the grid
_AXIS = 30.0  # metres
_DISTANCE = 15.0  # metres at which other cameras' borders are drawn
_STEPS = 24  # segments per side


def camera_colors(count: int) -> list[RGB]:
    """A colour per camera, the same in all drawings."""
    return [tuple(map(int, color)) for color in class_colors([f'camera {i}' for i in range(count)])]


def draw_ground_grid(canvas: np.ndarray, ego2img: np.ndarray) -> None:
    """Draw lines every 5 m on the ground, and the axes of the vehicle, in place.

    Args:
        canvas: (H, W, 3) uint8 RGB.
        ego2img: (3, 4) projection of the vehicle's frame.
    """
    lines = np.arange(-_REACH, _REACH + 1, _SPACING)
    cuts = np.linspace(-_REACH, _REACH, 61)
    along = np.stack([_polyline(cuts, np.full_like(cuts, y)) for y in lines])
    across = np.stack([_polyline(np.full_like(cuts, x), cuts) for x in lines])
    wires = np.concatenate([along, across])
    draw_segments(canvas, project_wires(wires, ego2img, canvas.shape[:2])[0], GRID_COLOR)
    width = 1 + canvas.shape[1] // 640
    texts = []
    for name, (direction, color) in AXES.items():
        steps = np.linspace(0, _AXIS, 61)[:, None] * direction
        pixels, _ = project_wires(
            np.stack([steps[:-1], steps[1:]], 1)[None], ego2img, canvas.shape[:2]
        )
        draw_segments(canvas, pixels, color, width)
        if len(pixels):
            u, v = pixels[-1, 1]
            texts.append(
                Text(u, v, f'{name} {_AXIS:g} m', 12 + canvas.shape[1] // 300, color, 'mb')
            )
    draw_texts(canvas, texts)


def _polyline(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    points = np.stack([x, y, np.zeros_like(x)], 1)
    return np.stack([points[:-1], points[1:]], 1)


def image_border(size: tuple[int, int], cam2img: np.ndarray, cam2ego: np.ndarray) -> np.ndarray:
    """(S, 2, 3) segments of the border of a camera's image, 15 m away, in the vehicle's frame."""
    width, height = size[0] - 1.0, size[1] - 1.0
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height], [0, 0]])
    shares = np.arange(_STEPS)[:, None] / _STEPS
    path = [a + shares * (b - a) for a, b in zip(corners, corners[1:], strict=False)]
    pixels = np.concatenate([*path, corners[:1]])
    rays = np.concatenate([pixels, np.ones((len(pixels), 1))], 1) @ np.linalg.inv(cam2img).T
    points = rays * _DISTANCE @ cam2ego[:3, :3].T + cam2ego[:3, 3]
    return np.stack([points[:-1], points[1:]], 1)


def draw_border(
    canvas: np.ndarray, border: np.ndarray, ego2img: np.ndarray, name: str, color: RGB
) -> None:
    """Draw the border of another camera's image (`image_border`), in place."""
    segments, _ = project_wires(border[None], ego2img, canvas.shape[:2])
    if not len(segments):
        return
    draw_segments(canvas, segments, color, 1 + canvas.shape[1] // 640)
    middle = segments[len(segments) // 2, 0]
    size = 12 + canvas.shape[1] // 300
    draw_texts(canvas, [Text(*middle, name, size, color, 'mm', (0, 0, 0, 170))])


def draw_from_above(
    names: Sequence[str], cam2ego: Sequence[np.ndarray], angles: Sequence[tuple[float, float]]
) -> np.ndarray:
    """Positions and fields of view of the cameras of a vehicle from above; forward is up.

    Args:
        names: of the cameras.
        cam2ego: (4, 4) mountings.
        angles: (left, right) headings of the image borders, degrees to the left of x.

    Returns:
        (640, 640, 3) uint8 RGB.
    """
    reach, size = 6.0, 640
    canvas = np.empty((size, size, 3), np.uint8)
    canvas[:] = BACKGROUND
    texts = [
        Text(8, 14, 'cameras from above, grid of 1 m; x forward is up, y is left', 13, FAINT_TEXT)
    ]
    for step in np.arange(-reach, reach + 1):
        for ends in ([[step, -reach], [step, reach]], [[-reach, step], [reach, step]]):
            draw_segments(canvas, bev_pixels(np.array([ends]), reach, size), GRID)
    for name, pose, (left, right), color in zip(
        names, cam2ego, angles, camera_colors(len(names)), strict=True
    ):
        start = pose[:2, 3]
        sweep = np.radians(np.linspace(right, right + (left - right) % 360, 40))
        arc = start + 3.0 * np.stack([np.cos(sweep), np.sin(sweep)], 1)
        outline = bev_pixels(np.concatenate([[start], arc, [start]]), reach, size)
        shaded = canvas.copy()
        cv2.fillPoly(shaded, [np.round(outline).astype(np.int32)], color)
        canvas[:] = cv2.addWeighted(shaded, 0.25, canvas, 0.75, 0)
        draw_segments(canvas, np.stack([outline[:-1], outline[1:]], 1), color)
        label = bev_pixels((start + arc[20]) / 2, reach, size)
        texts.append(Text(*label, name, 14, TEXT, 'mm', (0, 0, 0, 150)))
    for direction, color in AXES.values():
        ends = np.array([[[0.0, 0.0], [1.5 * direction[0], 1.5 * direction[1]]]])
        draw_segments(canvas, bev_pixels(ends, reach, size), color, 3)
    draw_texts(canvas, texts)
    return canvas
