"""Colour rendering of depth maps."""

from __future__ import annotations

import cv2
import numpy as np

from .colors import NO_DEPTH, PANEL, TEXT
from .strokes import Text, draw_texts, without_overlap

_LEVELS = np.arange(256, dtype=np.uint8)[:, None]  # 2-D, as OpenCV 4 and 5 differ for vectors
_COLOR_MAP = cv2.applyColorMap(_LEVELS, cv2.COLORMAP_TURBO)[:, 0, ::-1]
_ROUND_METRES = (0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 60, 80, 100, 150, 200)


def colorize_depth(depth: np.ndarray, min_depth: float, max_depth: float) -> np.ndarray:
    """Depth map coloured by inverse depth: near is red, far is dark blue, no depth is grey.

    Args:
        depth: (...) metres, usually (H, W); zero, negative and non-finite values are no depth.
        min_depth, max_depth: range of the colour map, metres; values beyond are clamped.

    Returns:
        (..., 3) uint8 RGB.

    Raises:
        ValueError: the range is empty or not positive.
    """
    if not 0 < min_depth < max_depth:
        raise ValueError(
            f'colorize_depth: expected 0 < min_depth < max_depth, got {min_depth} and {max_depth}'
        )
    depth = np.asarray(depth)
    valid = np.isfinite(depth) & (depth > 0)
    inverse = 1 / np.where(valid, depth, max_depth).clip(min_depth, max_depth)
    position = (inverse - 1 / max_depth) / (1 / min_depth - 1 / max_depth)
    colors = _COLOR_MAP[np.round(position * 255).astype(np.uint8)]
    return np.where(valid[..., None], colors, np.array(NO_DEPTH, dtype=np.uint8))


def depth_color_bar(
    width: int, min_depth: float, max_depth: float, title: str = 'depth, metres'
) -> np.ndarray:
    """Horizontal colour bar of ``colorize_depth``, near at the left.

    Args:
        width: pixels.
        min_depth, max_depth: metres, as given to ``colorize_depth``.
        title: text at the left of the bar.

    Returns:
        (40, width, 3) uint8 RGB.
    """
    bar = np.empty((40, width, 3), dtype=np.uint8)
    bar[:] = PANEL
    caption = Text(12, 20, title, size=14)
    left, right = int(caption.box()[2]) + 24, width - 28
    inverse = np.linspace(1 / min_depth, 1 / max_depth, right - left)
    bar[6:18, left:right] = colorize_depth(1 / inverse, min_depth, max_depth)

    ends = [max_depth, min_depth]
    metres = ends + [m for m in _ROUND_METRES if min_depth < m < max_depth]
    places = [
        left + (1 / min_depth - 1 / m) / (1 / min_depth - 1 / max_depth) * (right - left)
        for m in metres
    ]
    ticks = [
        Text(u, 28, f' {m:g} ', size=12, color=TEXT, anchor='mm')
        for u, m in zip(places, metres, strict=True)
    ]
    ticks = without_overlap(ticks, bar.shape[:2])
    for tick in ticks:
        u = min(int(tick.u), right - 1)
        bar[18:21, u : u + 1] = TEXT
    draw_texts(bar, [caption, *ticks])
    return bar
