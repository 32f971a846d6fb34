"""Greedy matching of detections with ground truth by the distance of their centres."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .detection_boxes import DetectionBoxes
from .quaternion_arrays import dots

_PAIRS = 1 << 20  # computed at a time
_SLACK = 1e-6  # metres, far above rounding


@dataclass(frozen=True)
class _Pairs:
    """Pairs of prediction and box of the same sample, nearest first for each prediction."""

    rank: np.ndarray  # of the prediction
    box: np.ndarray
    distance: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> _Pairs:
        return _Pairs(self.rank[rows], self.box[rows], self.distance[rows])


def match_by_distance(
    truth: DetectionBoxes, predicted: DetectionBoxes, limits: Sequence[float]
) -> np.ndarray:
    """Match the predictions of one class, best first, each with the nearest free box of its sample.

    nuScenes' rule: a prediction whose nearest free box is not nearer than the limit is a false
    positive; of equal distances the earlier box is taken. All samples are matched together, one
    prediction of each at a time (docs/reference/nuscenes.md, "Scores").

    Args:
        truth: boxes of one class.
        predicted: predictions of that class, best first.
        limits: distances (x, y) that a match must be below, metres.

    Returns:
        (limits, P) index of the matched box of each prediction, -1 for none.
    """
    matches = np.full((len(limits), len(predicted)), -1)
    pairs = _near_pairs(truth, predicted, max(limits))
    first = np.flatnonzero(np.diff(pairs.rank, prepend=-1))
    turns = ranks_in_groups(predicted.sample[pairs.rank[first]])  # of predictions with near boxes
    turn = np.repeat(turns, np.diff(np.append(first, len(pairs.rank))))
    order = np.argsort(turn, kind='stable')
    pairs, ends = pairs[order], np.cumsum(np.bincount(turn))
    free = np.ones((len(limits), len(truth)), bool)
    for start, end in zip([0, *ends[:-1]], ends, strict=False):
        now = pairs[np.arange(start, end)]
        starts = np.flatnonzero(np.diff(now.rank, prepend=-1))
        for index, limit in enumerate(limits):
            is_free = free[index, now.box] & (now.distance < limit)
            place = np.where(is_free, np.arange(len(is_free)), len(is_free))
            nearest = np.minimum.reduceat(place, starts)
            nearest = nearest[nearest < len(is_free)]
            matches[index, now.rank[nearest]] = now.box[nearest]
            free[index, now.box[nearest]] = False
    return matches


def _near_pairs(truth: DetectionBoxes, predicted: DetectionBoxes, limit: float) -> _Pairs:
    """All pairs nearer than the limit, sorted by prediction, distance and box."""
    parts = []
    for rank, box in _sample_pairs(truth.sample, predicted.sample):
        offset = predicted.centre[rank, :2] - truth.centre[box, :2]
        near = offset[:, 0] ** 2 + offset[:, 1] ** 2 < (limit + _SLACK) ** 2
        rank, box, offset = rank[near], box[near], offset[near]
        parts.append((rank, box, np.sqrt(dots(offset, offset))))
    pairs = _Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return pairs[np.lexsort((pairs.box, pairs.distance, pairs.rank))]


def _sample_pairs(
    boxes: np.ndarray, predictions: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Indices of predictions and boxes of the same sample, some million pairs at a time."""
    order = np.argsort(boxes, kind='stable')
    starts = np.searchsorted(boxes[order], predictions)
    counts = np.searchsorted(boxes[order], predictions, side='right') - starts
    ends = np.cumsum(counts)
    cuts = np.searchsorted(ends, np.arange(_PAIRS, ends[-1] if len(ends) else 0, _PAIRS))
    for rows in np.split(np.arange(len(predictions)), cuts):
        number = counts[rows]
        within = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
        yield np.repeat(rows, number), order[np.repeat(starts[rows], number) + within]


def ranks_in_groups(groups: np.ndarray) -> np.ndarray:
    """(N,) number of earlier entries of the same group."""
    order = np.argsort(groups, kind='stable')
    starts = np.searchsorted(groups[order], groups[order])
    ranks = np.empty(len(groups), int)
    ranks[order] = np.arange(len(groups)) - starts
    return ranks
