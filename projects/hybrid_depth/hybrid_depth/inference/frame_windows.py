"""Neighbouring images of a stream, kept as long as they are needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from .image_streams import NamedImage


def frame_windows(
    stream: Iterable[NamedImage], frames: Sequence[int]
) -> Iterator[dict[int, NamedImage]]:
    """Every image with its neighbours in the stream.

    Args:
        stream: images in order.
        frames: 0, the image itself, and places before (-1, ...) and after it (1, ...).

    Yields:
        Images by frame. Neighbours beyond the ends of the stream, and those of another size, which
        are of another video, are left out.
    """
    before, after = -min(0, *frames), max(0, *frames)
    kept: deque[NamedImage] = deque()
    now = 0
    for image in stream:
        kept.append(image)
        if len(kept) - now > after:
            yield _window(kept, now, frames)
            now = _advance(kept, now, before)
    while now < len(kept):
        yield _window(kept, now, frames)
        now = _advance(kept, now, before)


def _window(kept: deque[NamedImage], now: int, frames: Sequence[int]) -> dict[int, NamedImage]:
    size = kept[now].image.size
    there = {i: kept[now + i] for i in frames if 0 <= now + i < len(kept)}
    return {i: item for i, item in there.items() if item.image.size == size}


def _advance(kept: deque[NamedImage], now: int, before: int) -> int:
    """Drop what is no longer needed; the place of the next image."""
    if now == before:
        kept.popleft()
        return now
    return now + 1
