"""Boxes of many samples as arrays, for evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class DetectionBoxes:
    """Boxes of many samples, one row per box, in one frame whose z axis points up.

    Args:
        sample: (N,) int, index of the sample; the boxes of a sample keep their order.
        label: (N,) int, index of the class.
        centre: (N, 3) float64 metres.
        size: (N, 3) float64 width, length, height in metres, positive.
        rotation: (N, 4) float64 quaternion (w, x, y, z), of the box frame (x ahead).
        velocity: (N, 2) float64 metres per second; NaN where unknown.
        attribute: (N,) int, index of the attribute; -1 for none.
        score: (N,) float64; not used of ground truth.

    Raises:
        ValueError: shapes do not fit.
    """

    sample: np.ndarray
    label: np.ndarray
    centre: np.ndarray
    size: np.ndarray
    rotation: np.ndarray
    velocity: np.ndarray
    attribute: np.ndarray
    score: np.ndarray

    def __post_init__(self) -> None:
        widths = dict(centre=(3,), size=(3,), rotation=(4,), velocity=(2,))
        for name, array in self._columns():
            expected = (len(self.sample), *widths.get(name, ()))
            if array.shape != expected:
                raise ValueError(f'DetectionBoxes: expected {name} {expected}, got {array.shape}')

    def _columns(self) -> list[tuple[str, np.ndarray]]:
        return [(field.name, getattr(self, field.name)) for field in fields(self)]

    def __len__(self) -> int:
        return len(self.sample)

    def __getitem__(self, rows: np.ndarray) -> DetectionBoxes:
        """Rows by a mask or by indices."""
        return DetectionBoxes(**{name: array[rows] for name, array in self._columns()})

    @classmethod
    def concatenate(cls, parts: Sequence[DetectionBoxes]) -> DetectionBoxes:
        """All rows of several sets, in order."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})
