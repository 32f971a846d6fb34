"""Greedy matching of detections with ground truth by the distance of their centres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .detection_boxes import DetectionBoxes


def match_by_distance(
    truth: DetectionBoxes, predicted: DetectionBoxes, limits: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Match the predictions of one class, best first, each with the nearest free box of its sample.

    nuScenes' rule: a prediction whose nearest free box is not nearer than the limit is a false
    positive. Of equal scores the later prediction comes first, of equal distances the earlier box.
    All samples are matched together, one prediction of each at a time.

    Args:
        truth, predicted: boxes of one class.
        limits: distances (x, y) that a match must be below, metres.

    Returns:
        order: (P,) indices of the predictions, best first.
        matches: (limits, P) index of the matched box of each prediction in that order, -1 for none.
    """
    order = np.argsort(predicted.score, kind='stable')[::-1]
    matches = np.full((len(limits), len(order)), -1)
    samples, row_of_box = np.unique(truth.sample, return_inverse=True)
    row = np.searchsorted(samples, predicted.sample[order])
    with_boxes = np.flatnonzero(np.isin(predicted.sample[order], samples))
    boxes = _padded(row_of_box)  # (samples, most boxes of one), -1 = none
    centres = truth.centre[:, :2][boxes]
    free = np.tile(boxes >= 0, (len(limits), 1, 1))
    for at in _by_rank(with_boxes, row[with_boxes]):
        rows, each = row[at], np.arange(len(at))
        offset = predicted.centre[order[at], None, :2] - centres[rows]
        distance = np.sqrt(offset[..., 0] ** 2 + offset[..., 1] ** 2)
        distance[np.isnan(distance)] = np.inf
        for index, limit in enumerate(limits):
            left = np.where(free[index, rows], distance, np.inf)
            nearest = left.argmin(1)
            found = left[each, nearest] < limit
            free[index, rows[found], nearest[found]] = False
            matches[index, at[found]] = boxes[rows[found], nearest[found]]
    return order, matches


def _padded(groups: np.ndarray) -> np.ndarray:
    """(groups, most of one group) indices of the entries of each group, -1 = none."""
    ranks = _ranks(groups)
    places = np.full((groups.max(initial=-1) + 1, ranks.max(initial=-1) + 1), -1)
    places[groups, ranks] = np.arange(len(groups))
    return places


def _by_rank(entries: np.ndarray, groups: np.ndarray) -> list[np.ndarray]:
    """The first entries of all groups, then the second ones, ..."""
    ranks = _ranks(groups)
    ends = np.cumsum(np.bincount(ranks))
    return np.split(entries[np.argsort(ranks, kind='stable')], ends[:-1]) if len(ends) else []


def _ranks(groups: np.ndarray) -> np.ndarray:
    """(N,) number of earlier entries of the same group."""
    order = np.argsort(groups, kind='stable')
    starts = np.searchsorted(groups[order], groups[order])
    ranks = np.empty(len(groups), int)
    ranks[order] = np.arange(len(groups)) - starts
    return ranks
