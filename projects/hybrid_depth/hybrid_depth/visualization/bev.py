"""BEV visualization of a scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .boxes import BOTTOM, SceneBoxes
from .colors import (
    BACKGROUND,
    EGO,
    FAINT_TEXT,
    FALSE_POSITIVE,
    GRID,
    PANEL,
    TEXT,
    TRUE_BOX,
    class_colors,
)
from .strokes import Text, clip_to_image, dash, draw_segments, draw_texts, without_overlap

_LEGEND_COLUMNS = 3
_ROW = 24


@dataclass(frozen=True)
class Trail:
    """Positions of a tracked object.

    Args:
        number: number of the track.
        label: class number.
        positions: (K, 3) metres, current ego frame, in order of time.
    """

    number: int
    label: int
    positions: np.ndarray


def draw_bev(
    points: np.ndarray | None,
    predicted: SceneBoxes,
    true: SceneBoxes | None,
    class_names: Sequence[str],
    reach: float = 51.2,
    size: int = 900,
    trails: Sequence[Trail] = (),
) -> np.ndarray:
    """BEV rendering of boxes and LiDAR with a legend below; ego at the centre, forward up.

    Args:
        points: (P, 3) LiDAR points, metres, ego frame, or None.
        predicted: predicted boxes, drawn solid in the class colour, with a red border if they are
            known to be false.
        true: ground-truth boxes, drawn dashed in green, or None if unknown.
        class_names: name of each label.
        reach: metres from the centre to the border.
        size: pixels, width and height of the map.
        trails: tracked objects, drawn as lines with their numbers.

    Returns:
        (size + legend, size, 3) uint8 RGB.
    """
    canvas = np.empty((size, size, 3), dtype=np.uint8)
    canvas[:] = BACKGROUND
    _draw_points(canvas, points, reach)
    _draw_rings(canvas, reach)
    colors = class_colors(class_names)
    _draw_trails(canvas, trails, colors, reach)
    wrong = predicted.false_positives()
    false_ones = SceneBoxes(predicted.corners[wrong], predicted.labels[wrong])
    draw_segments(canvas, _footprints(false_ones, reach, size)[0], FALSE_POSITIVE, 5)
    segments, labels = _footprints(predicted, reach, size)
    for label in np.unique(labels):
        draw_segments(canvas, segments[labels == label], colors[label], 2)
    if true is not None:
        draw_segments(canvas, dash(_footprints(true, reach, size)[0], 5, 3), TRUE_BOX)
    _draw_ego(canvas, reach)
    return np.concatenate((canvas, _legend(size, predicted, true, class_names)))


def bev_pixels(points: np.ndarray, reach: float, size: int) -> np.ndarray:
    """Map pixels (..., 2) of ego points (..., 2 or 3), metres; x forward is up, y left is left."""
    scale = size / (2 * reach)
    return np.stack((reach - points[..., 1], reach - points[..., 0]), -1) * scale - 0.5


def legend_height(class_names: Sequence[str]) -> int:
    """Height of the legend below the map of ``draw_bev``, pixels."""
    rows = 1 + math.ceil(len(class_names) / _LEGEND_COLUMNS)
    return _ROW * rows + 16


def _footprints(boxes: SceneBoxes, reach: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(L, 2, 2) outline and heading segments inside the map, and (L,) their labels."""
    bottom = boxes.corners[:, BOTTOM]
    sides = np.stack((bottom, np.roll(bottom, -1, 1)), 2)
    headings = boxes.headings()[:, None]
    wires = np.concatenate((sides, headings), 1)
    segments, kept = clip_to_image(bev_pixels(wires.reshape(-1, 2, 3), reach, size), (size, size))
    return segments, np.repeat(boxes.labels, wires.shape[1])[kept]


def _draw_trails(
    canvas: np.ndarray, trails: Sequence[Trail], colors: np.ndarray, reach: float
) -> None:
    size = len(canvas)
    texts = []
    for trail in trails:
        pixels = bev_pixels(trail.positions, reach, size)
        segments = clip_to_image(np.stack((pixels[:-1], pixels[1:]), 1), (size, size))[0]
        draw_segments(canvas, segments, colors[trail.label], 1)
        u, v = pixels[-1]
        texts.append(Text(u + 8, v - 8, f'{trail.number}', 11, FAINT_TEXT))
    draw_texts(canvas, without_overlap(texts, (size, size)))


def _draw_points(canvas: np.ndarray, points: np.ndarray | None, reach: float) -> None:
    """Draw points as faint dots, brighter for many points per pixel."""
    if points is None:
        return
    size = len(canvas)
    u, v = np.round(bev_pixels(points, reach, size)).astype(int).T
    inside = (u >= 0) & (v >= 0) & (u < size) & (v < size)
    hits = np.bincount(v[inside] * size + u[inside], minlength=size * size).reshape(size, size)
    bright = np.clip(84 + 18 * np.log2(hits.clip(min=1)), 0, 160)
    canvas[hits > 0] = bright[hits > 0, None].astype(np.uint8)


def _draw_rings(canvas: np.ndarray, reach: float) -> None:
    """Draw labelled range circles and the ego axes."""
    size = len(canvas)
    spacing = next(s for s in (5, 10, 20, 50, 100, 1000) if reach / s <= 6)
    centre = (size // 2, size // 2)
    radii = np.arange(spacing, reach, spacing)
    for radius in radii:
        cv2.circle(canvas, centre, round(radius * size / (2 * reach)), GRID, 1, cv2.LINE_AA)
    axes = np.array([[[size / 2, 0], [size / 2, size]], [[0, size / 2], [size, size / 2]]])
    draw_segments(canvas, axes, GRID)
    # Labels half-way between backward and right, where the road seldom is.
    places = bev_pixels(radii[:, None] * np.array([-1.0, -1.0]) / np.sqrt(2), reach, size)
    draw_texts(
        canvas,
        [
            Text(u, v, f'{radius:g} m', 12, FAINT_TEXT, 'mm', (*BACKGROUND, 200))
            for (u, v), radius in zip(places, radii, strict=True)
        ],
    )


def _draw_ego(canvas: np.ndarray, reach: float) -> None:
    arrow = np.array([[2.2, 0.0], [-1.4, 1.3], [-0.7, 0.0], [-1.4, -1.3]])
    pixels = np.round(bev_pixels(arrow, reach, len(canvas))).astype(np.int32)
    cv2.fillPoly(canvas, [pixels], EGO, cv2.LINE_AA)


def _legend(
    width: int, predicted: SceneBoxes, true: SceneBoxes | None, class_names: Sequence[str]
) -> np.ndarray:
    """Legend: line styles, then one entry per class with the number of boxes."""
    strip = np.empty((legend_height(class_names), width, 3), dtype=np.uint8)
    strip[:] = PANEL
    found = np.bincount(predicted.labels, minlength=len(class_names))
    annotated = np.bincount(true.labels if true else [], minlength=len(class_names))
    column = width / _LEGEND_COLUMNS

    head = 8 + _ROW / 2
    wrong = int(predicted.false_positives().sum())
    lines = np.array([[[14.0, head], [42.0, head]]]) + np.arange(3)[:, None, None, None] * (
        column,
        0,
    )
    name = 'predicted' if predicted.correct is None else 'correct'
    texts = [Text(52, head, f'{name} ({len(predicted) - wrong})')]
    draw_segments(strip, lines[0], TEXT, 2)
    if predicted.correct is not None:
        texts.append(Text(column + 52, head, f'false ({wrong})'))
        draw_segments(strip, lines[1], FALSE_POSITIVE, 5)
        draw_segments(strip, lines[1], TEXT, 2)
    if true is not None:
        texts.append(Text(2 * column + 52, head, f'true ({len(true)})'))
        draw_segments(strip, dash(lines[2], 5, 3), TRUE_BOX)

    for index, (name, color) in enumerate(zip(class_names, class_colors(class_names), strict=True)):
        u, v = index % _LEGEND_COLUMNS * column, head + _ROW * (1 + index // _LEGEND_COLUMNS)
        count = f'{found[index]}' if true is None else f'{found[index]} / {annotated[index]}'
        tint = TEXT if found[index] or annotated[index] else FAINT_TEXT
        strip[int(v) - 6 : int(v) + 6, int(u) + 14 : int(u) + 26] = color
        texts.append(Text(u + 34, v, f'{name.replace("_", " ")}  {count}', 13, tint))
    draw_texts(strip, texts)
    return strip
