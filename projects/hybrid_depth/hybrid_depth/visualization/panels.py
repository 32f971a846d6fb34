"""Arrangement of images in rows and columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .colors import BACKGROUND

_COLUMNS = 3
_GAP = 6


def grid(panels: Sequence[np.ndarray], rows: Sequence[Sequence[int]] | None = None) -> np.ndarray:
    """Images in rows.

    Args:
        panels: images (H, W, 3).
        rows: indices of the images of each row; None for three a row, in order.
    """
    if rows is None:
        order = range(len(panels))
        rows = [order[i : i + _COLUMNS] for i in order[::_COLUMNS]]
    return stack([stack([panels[i] for i in row], axis=1) for row in rows])


def stack(parts: Sequence[np.ndarray], axis: int = 0) -> np.ndarray:
    """Stack images vertically (0) or horizontally (1) with a gap, padding the shorter ones."""
    across = max(part.shape[1 - axis] for part in parts)
    along = sum(part.shape[axis] for part in parts) + _GAP * (len(parts) - 1)
    canvas = np.empty((along, across, 3) if axis == 0 else (across, along, 3), dtype=np.uint8)
    canvas[:] = np.tile(BACKGROUND, (canvas.shape[1], 1))  # copying whole rows is fast
    start = 0
    for part in parts:
        height, width = part.shape[:2]
        if axis == 0:
            canvas[start : start + height, :width] = part
        else:
            canvas[:height, start : start + width] = part
        start += part.shape[axis] + _GAP
    return canvas
