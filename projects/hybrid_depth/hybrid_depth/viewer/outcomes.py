"""Predicted boxes as true and false positives, and missed boxes of the ground truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..bev.evaluation.detection_boxes import DetectionBoxes
from ..bev.evaluation.detection_matching import match_by_distance
from ..bev.evaluation.detection_protocol import DetectionProtocol

#: Outcomes and their colours, RGB; 'predicted' where there is no ground truth.
TRUE_POSITIVE, FALSE_POSITIVE, MISSED = 'true_positive', 'false_positive', 'missed'


@dataclass(frozen=True)
class Outcomes:
    """Boxes of a key frame.

    Args:
        predicted: boxes with a sufficient score.
        correct: (P,) whether each is a true positive.
        missed: boxes of the ground truth without one.
    """

    predicted: DetectionBoxes
    correct: np.ndarray
    missed: DetectionBoxes

    def groups(self) -> Iterator[tuple[str, DetectionBoxes]]:
        """(outcome, boxes) of all three outcomes."""
        yield TRUE_POSITIVE, self.predicted[self.correct]
        yield FALSE_POSITIVE, self.predicted[~self.correct]
        yield MISSED, self.missed


def judge(
    truth: DetectionBoxes, predicted: DetectionBoxes, protocol: DetectionProtocol
) -> Outcomes:
    """Match the boxes of one key frame, as the benchmark does at its `error_distance`.

    Args:
        truth: boxes that count.
        predicted: boxes with a sufficient score.
        protocol: benchmark (docs/reference/nuscenes.md, "Scores").
    """
    correct = np.zeros(len(predicted), bool)
    found = np.zeros(len(truth), bool)
    for label in range(len(protocol.classes)):
        boxes = np.flatnonzero(truth.label == label)
        rows = np.flatnonzero(predicted.label == label)
        rows = rows[np.argsort(-predicted.score[rows], kind='stable')]
        match = match_by_distance(truth[boxes], predicted[rows], [protocol.error_distance])[0]
        correct[rows] = match >= 0
        found[boxes[match[match >= 0]]] = True
    return Outcomes(predicted, correct, truth[~found])
