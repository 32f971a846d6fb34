"""Share of depths close to measured ones, per origin and range."""

from __future__ import annotations

import numpy as np

from ..geometry import Provenance

RANGES = ((0, 10), (10, 20), (20, 30), (30, 50), (50, 80))
_TOLERANCES = (0.05, 0.1)
_ROWS = (Provenance.ROAD, Provenance.GROUND, Provenance.VERTICAL, Provenance.FILLED)


class DepthAccuracy:
    """Table of Vision-Language Embodiment (arXiv 2503.16535): shares within 5 % and 10 %.

    Pixels are counted by provenance and by the range of the measured depth. Measured pixels without
    a depth are counted apart and are not errors.

    Example:
        >>> table = DepthAccuracy()
        >>> origin = np.array([1, 1, 3, 0], np.uint8)
        >>> table.add(np.array([10.0, 21.5, 30, 0]), origin, np.array([10.2, 20, 20, 5]))
        >>> table.share(Provenance.ROAD), table.share(Provenance.VERTICAL)
        ((0.5, 1.0), (0.0, 0.0))
    """

    def __init__(self) -> None:
        shape = (len(Provenance), len(RANGES))
        self.pixels = np.zeros(shape, np.int64)
        self.close = np.zeros((*shape, len(_TOLERANCES)), np.int64)

    def add(self, depth: np.ndarray, provenance: np.ndarray, truth: np.ndarray) -> None:
        """Count the pixels of an image.

        Args:
            depth: (...) metres, 0 = invalid.
            provenance: (...) of `Provenance`.
            truth: (...) metres, 0 = not measured.
        """
        measured = (truth > 0) & (truth < RANGES[-1][1])
        depth, provenance, truth = depth[measured], provenance[measured], truth[measured]
        span = np.searchsorted([start for start, _ in RANGES], truth, side='right') - 1
        error = np.abs(depth - truth) / truth
        np.add.at(self.pixels, (provenance, span), 1)
        for index, tolerance in enumerate(_TOLERANCES):
            close = (error <= tolerance) & (depth > 0)
            np.add.at(self.close[..., index], (provenance[close], span[close]), 1)

    def share(self, *origins: Provenance, span: int | None = None) -> tuple[float, ...]:
        """Shares within 5 % and 10 % of the pixels of some origins; NaN without pixels.

        Args:
            origins: rows of the table.
            span: index of `RANGES`; None for all.
        """
        rows, columns = list(map(int, origins)), slice(None) if span is None else [span]
        pixels = self.pixels[rows][:, columns].sum()
        close = self.close[rows][:, columns].sum((0, 1))
        return tuple(float(x) / int(pixels) if pixels else float('nan') for x in close)

    def __str__(self) -> str:
        spans = [f'{near}-{far} m' for near, far in RANGES]
        lines = [''.join(f'{x:>16}' for x in ('within 5/10 %', 'pixels', 'all', *spans))]
        rows = [(origin.name.lower(), (origin,)) for origin in _ROWS]
        for name, origins in (*rows, ('scene', _ROWS)):
            pixels = int(self.pixels[list(map(int, origins))].sum())
            shares = [self.share(*origins, span=span) for span in (None, *range(len(RANGES)))]
            cells = ['-' if a != a else f'{100 * a:.1f}/{100 * b:.1f}' for a, b in shares]
            lines.append(''.join(f'{x:>16}' for x in (name, pixels, *cells)))
        without = self.pixels[[Provenance.INVALID, Provenance.SKY]].sum()
        lines.append(f'measured pixels without depth: {without} of {self.pixels.sum()}')
        return '\n'.join(lines)
