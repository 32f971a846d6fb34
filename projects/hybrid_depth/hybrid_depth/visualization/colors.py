"""Colour table of all visualizations, RGB."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RGB = tuple[int, int, int]

BACKGROUND: RGB = (18, 20, 24)
PANEL: RGB = (28, 31, 37)
GRID: RGB = (62, 67, 76)
TEXT: RGB = (232, 234, 238)
FAINT_TEXT: RGB = (140, 147, 158)
EGO: RGB = (255, 255, 255)
NO_DEPTH: RGB = (64, 64, 64)
TRUE_BOX: RGB = (92, 255, 122)
FALSE_POSITIVE: RGB = (235, 20, 45)

CLASS_COLORS: dict[str, RGB] = {
    'car': (79, 163, 255),
    'truck': (255, 140, 26),
    'construction_vehicle': (212, 172, 0),
    'bus': (255, 84, 84),
    'trailer': (181, 123, 255),
    'barrier': (176, 190, 205),
    'motorcycle': (255, 102, 196),
    'bicycle': (0, 213, 213),
    'pedestrian': (255, 228, 90),
    'traffic_cone': (214, 128, 92),
}


def class_colors(class_names: Sequence[str]) -> np.ndarray:
    """(K, 3) uint8 class colours; names outside the table cycle through its colours."""
    palette = list(CLASS_COLORS.values())
    return np.array(
        [
            CLASS_COLORS.get(name, palette[index % len(palette)])
            for index, name in enumerate(class_names)
        ],
        dtype=np.uint8,
    ).reshape(-1, 3)
