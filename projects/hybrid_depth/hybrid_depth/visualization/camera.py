"""Boxes in camera images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .boxes import SceneBoxes, project_wires
from .colors import FALSE_POSITIVE, TRUE_BOX, class_colors
from .strokes import Text, dash, draw_segments, draw_texts, without_overlap

_CASING = (0, 0, 0)
_LARGE = 18  # smallest height of boxes with thick lines and a label, pixels


def draw_camera_boxes(
    image: np.ndarray,
    boxes: SceneBoxes,
    ego2img: np.ndarray,
    class_names: Sequence[str],
    style: str = 'predicted',
    text_size: int = 11,
) -> np.ndarray:
    """Camera image with boxes drawn into it.

    Predicted boxes are solid in the class colour, with a red border if they are known to be false,
    large ones labelled with class and score; ground-truth boxes are thin, dashed and green. A line
    in the bottom face shows the heading.

    Args:
        image: (H, W, 3) uint8 RGB.
        boxes: boxes in the ego frame.
        ego2img: (3, 4) projection into *this* image, see ``CameraRig.ego2img``.
        class_names: name of each label.
        style: ``predicted`` or ``true``.
        text_size: pixels; 0 writes no labels.

    Returns:
        A new (H, W, 3) uint8 image.

    Raises:
        ValueError: unknown style.
    """
    if style not in ('predicted', 'true'):
        raise ValueError(f"draw_camera_boxes: style must be 'predicted' or 'true', got {style!r}")
    canvas = np.ascontiguousarray(image).copy()
    segments, owner = project_wires(boxes.wires(), ego2img, image.shape[:2])
    if style == 'true':
        draw_segments(canvas, dash(segments, 5, 4), TRUE_BOX)
        return canvas
    low, high = _extents(segments, owner, len(boxes))
    heights = high[:, 1] - low[:, 1]
    colors = class_colors(class_names)
    for width, chosen in ((1, heights < _LARGE), (2, heights >= _LARGE)):
        wrong = boxes.false_positives()
        draw_segments(canvas, segments[(chosen & ~wrong)[owner]], _CASING, width + 1)
        draw_segments(canvas, segments[(chosen & wrong)[owner]], FALSE_POSITIVE, width + 2)
        for label in np.unique(boxes.labels[chosen]):
            wires = segments[(chosen & (boxes.labels == label))[owner]]
            draw_segments(canvas, wires, colors[label], width)
    if text_size:
        nearest = np.argsort(-heights, kind='stable')
        nearest = nearest[heights[nearest] >= _LARGE]
        labels = _labels(boxes, low, nearest, class_names, text_size)
        draw_texts(canvas, without_overlap(labels, image.shape[:2]))
    return canvas


def _extents(segments: np.ndarray, owner: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(M, 2) smallest and largest pixel of the visible part of each box; equal if none is."""
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, owner, segments.min(1))
    np.maximum.at(high, owner, segments.max(1))
    unseen = np.isinf(low)
    return np.where(unseen, 0, low), np.where(unseen, 0, high)


def _labels(
    boxes: SceneBoxes,
    low: np.ndarray,
    chosen: np.ndarray,
    class_names: Sequence[str],
    text_size: int,
) -> list[Text]:
    """Labels with class and score above each chosen box."""
    colors = class_colors(class_names)
    return [
        Text(
            low[box, 0],
            max(low[box, 1] - 3, text_size + 4),
            _caption(class_names[boxes.labels[box]], boxes, box),
            text_size,
            tuple(int(c) for c in colors[boxes.labels[box]]),
            anchor='lb',
            background=(0, 0, 0, 170),
        )
        for box in chosen
    ]


def _caption(name: str, boxes: SceneBoxes, box: int) -> str:
    name = name.replace('_', ' ')
    return name if boxes.scores is None else f'{name} {boxes.scores[box]:.2f}'
