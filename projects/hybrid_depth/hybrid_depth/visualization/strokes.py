"""Lines and text on RGB uint8 arrays, without a display."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .colors import RGB, TEXT

SUBPIXEL_BITS = 4


def clip_to_image(segments: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Line clipping at the image border (Liang and Barsky 1984).

    Args:
        segments: (K, 2, 2) end points, (u, v) pixels.
        size: (height, width).

    Returns:
        (L, 2, 2) parts inside the image, and (L,) the index of their segment.
    """
    start, step = segments[:, 0], segments[:, 1] - segments[:, 0]
    upper = np.array([size[1] - 1, size[0] - 1], dtype=float)
    with np.errstate(divide='ignore', invalid='ignore'):
        bounds = np.stack((-start / step, (upper - start) / step))
    still = step == 0
    enter = np.where(still, 0.0, bounds.min(0)).max(-1).clip(min=0)
    leave = np.where(still, 1.0, bounds.max(0)).min(-1).clip(max=1)
    outside = (still & ((start < 0) | (start > upper))).any(-1)
    kept = np.flatnonzero((enter < leave) & ~outside)
    ends = np.stack((enter, leave), 1)[kept, :, None]
    return start[kept, None] + ends * step[kept, None], kept


def dash(segments: np.ndarray, length: float, gap: float) -> np.ndarray:
    """Cut (K, 2, 2) segments into (L, 2, 2) dashes of ``length`` pixels, ``gap`` pixels apart."""
    step = segments[:, 1] - segments[:, 0]
    total = np.linalg.norm(step, axis=-1)
    counts = np.ceil(total / (length + gap)).astype(int)
    owner = np.repeat(np.arange(len(segments)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    begin = (np.arange(len(owner)) - first) * (length + gap)
    ends = np.stack((begin, np.minimum(begin + length, total[owner])), -1) / total[owner, None]
    return segments[owner, :1] + ends[..., None] * step[owner, None]


def draw_segments(image: np.ndarray, segments: np.ndarray, color: RGB, width: int = 1) -> None:
    """Draw (K, 2, 2) anti-aliased segments into (H, W, 3) uint8, in place."""
    points = np.round(segments * (1 << SUBPIXEL_BITS)).astype(np.int32)
    color = tuple(int(c) for c in color)
    cv2.polylines(image, list(points), False, color, width, cv2.LINE_AA, SUBPIXEL_BITS)


@dataclass(frozen=True)
class Text:
    """Text at a pixel position; ``anchor`` as in PIL (``lm`` = left, middle)."""

    u: float
    v: float
    text: str
    size: int = 13
    color: RGB = TEXT
    anchor: str = 'lm'
    background: tuple[int, int, int, int] | None = None

    def box(self, margin: int = 2) -> tuple[float, float, float, float]:
        """Bounding box (left, top, right, bottom), pixels."""
        left, top, right, bottom = _font(self.size).getbbox(self.text, anchor=self.anchor)
        return (
            self.u + left - margin,
            self.v + top - margin,
            self.u + right + margin,
            self.v + bottom + margin,
        )


def draw_texts(image: np.ndarray, texts: Sequence[Text]) -> None:
    """Write texts into (H, W, 3) uint8, in place."""
    if not texts:
        return
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas, 'RGBA')
    for text in texts:
        if text.background is not None:
            draw.rectangle(text.box(), fill=text.background)
        draw.text((text.u, text.v), text.text, text.color, _font(text.size), text.anchor)
    image[:] = np.asarray(canvas)


def without_overlap(texts: Sequence[Text], size: tuple[int, int]) -> list[Text]:
    """Texts within (height, width) that overlap none before them; earlier ones have priority."""
    kept: list[Text] = []
    boxes = np.empty((0, 4))
    for text in texts:
        left, top, right, bottom = text.box()
        inside = left >= 0 and top >= 0 and right <= size[1] and bottom <= size[0]
        apart = (
            (boxes[:, 2] < left)
            | (boxes[:, 0] > right)
            | (boxes[:, 3] < top)
            | (boxes[:, 1] > bottom)
        )
        if inside and apart.all():
            kept.append(text)
            boxes = np.append(boxes, [[left, top, right, bottom]], 0)
    return kept


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    import matplotlib  # for its font only

    return ImageFont.truetype(
        str(Path(matplotlib.get_data_path()) / 'fonts' / 'ttf' / 'DejaVuSans.ttf'), size
    )
