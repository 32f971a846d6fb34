"""Average precision by centre distance, true-positive errors, and their summary (mAP, NDS)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import DepthDataError
from .detection_boxes import DetectionBoxes
from .detection_matching import match_by_distance
from .detection_protocol import ERRORS, DetectionProtocol
from .quaternion_arrays import dots, yaws_of

_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class ClassScores:
    """Scores of a class.

    Attributes:
        boxes: number of boxes of the ground truth.
        aps: average precision per distance of the protocol.
        errors: by name; NaN if undefined.
    """

    boxes: int
    aps: dict[float, float]
    errors: dict[str, float]

    @property
    def ap(self) -> float:
        """Mean over the distances."""
        return float(np.mean(list(self.aps.values())))


@dataclass(frozen=True)
class DetectionScores:
    """Scores of all classes, by name."""

    classes: dict[str, ClassScores]
    protocol: DetectionProtocol

    @property
    def mean_ap(self) -> float:
        """Mean over the classes; one without boxes counts as 0."""
        return float(np.mean([scores.ap for scores in self.classes.values()]))

    @property
    def mean_ap_present(self) -> float:
        """Mean over the classes with boxes; 0 if there are none."""
        present = [scores.ap for scores in self.classes.values() if scores.boxes]
        return float(np.mean(present)) if present else 0.0

    @property
    def errors(self) -> dict[str, float]:
        """Mean of each error over the classes that have it; NaN if none has."""
        means = {}
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', RuntimeWarning)  # of a mean over nothing
            for name in ERRORS:
                values = [scores.errors[name] for scores in self.classes.values()]
                means[name] = float(np.nanmean(values))
        return means

    @property
    def nds(self) -> float:
        """Weighted mean of mAP and 1 - error, errors clipped to 1 (also those that none has)."""
        errors = self.errors
        goodness = [max(0.0, 1.0 - errors[name]) for name in self.protocol.errors]
        weight = self.protocol.ap_weight
        return float(weight * self.mean_ap + np.sum(goodness)) / float(weight + len(goodness))


@dataclass(frozen=True)
class MatchedClass:
    """Matches of a class, from which the scores of any part of its boxes are computed.

    Attributes:
        name: class.
        truth: boxes of the ground truth.
        predicted: predictions, best first.
        matches: (distances, P) index of the box matched to each prediction, -1 for none.
        errors: by name, (hits,) errors of the matches at the protocol's `error_distance`.
    """

    name: str
    truth: DetectionBoxes
    predicted: DetectionBoxes
    matches: np.ndarray
    errors: dict[str, np.ndarray]

    def scores(
        self,
        protocol: DetectionProtocol,
        rows: Sequence[np.ndarray] | None = None,
        boxes: int | None = None,
    ) -> ClassScores:
        """Scores of all predictions, or of some.

        Args:
            protocol: benchmark.
            rows: for each distance, the predictions that count, in their order.
            boxes: number of boxes that count.
        """
        boxes = len(self.truth) if boxes is None else boxes
        undefined = protocol.undefined.get(self.name, ())
        aps = dict.fromkeys(protocol.distances, 0.0)
        errors = {error: np.nan if error in undefined else 1.0 for error in ERRORS}
        for index, distance in enumerate(protocol.distances):
            chosen = slice(None) if rows is None else rows[index]
            all_hits = self.matches[index] >= 0
            hits, score = all_hits[chosen], self.predicted.score[chosen]
            if not hits.any():
                continue
            precision, confidence = _curves(hits, score, boxes)
            aps[distance] = _average_precision(precision, protocol)
            if distance == protocol.error_distance:
                place = (np.cumsum(all_hits) - 1)[chosen][hits]
                for error in self.errors.keys() - set(undefined):
                    values = self.errors[error][place]
                    errors[error] = _mean_error(values, score[hits], confidence, protocol)
        return ClassScores(boxes, aps, errors)


def match_detections(
    truth: DetectionBoxes, predicted: DetectionBoxes, protocol: DetectionProtocol
) -> list[MatchedClass]:
    """Matches of all classes.

    Of predictions with equal scores the later one comes first, as in the devkit.

    Args:
        truth, predicted: boxes, already filtered; labels are indices of `protocol.classes`.
        protocol: benchmark.
    """
    at = list(protocol.distances).index(protocol.error_distance)
    matched = []
    for label, name in enumerate(protocol.classes):
        boxes = truth[truth.label == label]
        found = np.flatnonzero(predicted.label == label)
        order = np.argsort(predicted.score[found], kind='stable')[::-1]
        best_first = predicted[found[order]]
        matches = match_by_distance(boxes, best_first, protocol.distances)
        hits = matches[at] >= 0
        period = np.pi if name in protocol.half_turn else 2 * np.pi
        errors = _errors(boxes[matches[at][hits]], best_first[hits], period)
        matched.append(MatchedClass(name, boxes, best_first, matches, errors))
    return matched


def score_detections(
    truth: DetectionBoxes, predicted: DetectionBoxes, protocol: DetectionProtocol
) -> DetectionScores:
    """Scores of predictions, equal to those of the nuScenes devkit on the same numbers.

    Args:
        truth, predicted: boxes, already filtered; labels are indices of `protocol.classes`.
        protocol: benchmark.
    """
    matched = match_detections(truth, predicted, protocol)
    return DetectionScores({found.name: found.scores(protocol) for found in matched}, protocol)


def _curves(hits: np.ndarray, scores: np.ndarray, boxes: int) -> tuple[np.ndarray, np.ndarray]:
    """Precision and score at 101 recalls."""
    true = np.cumsum(hits).astype(float)
    false = np.cumsum(~hits).astype(float)
    recall = true / float(boxes)
    precision = np.interp(_RECALLS, recall, true / (false + true), right=0)
    return precision, np.interp(_RECALLS, recall, scores, right=0)


def _average_precision(precision: np.ndarray, protocol: DetectionProtocol) -> float:
    counted = precision[round(100 * protocol.min_recall) + 1 :] - protocol.min_precision
    counted[counted < 0] = 0
    return float(np.mean(counted)) / (1.0 - protocol.min_precision)


def _mean_error(
    values: np.ndarray, scores: np.ndarray, confidence: np.ndarray, protocol: DetectionProtocol
) -> float:
    """Mean over the recalls that are reached, of the running mean of an error."""
    reached = np.flatnonzero(confidence)
    first, last = round(100 * protocol.min_recall) + 1, reached[-1] if len(reached) else 0
    if last < first:
        return 1.0
    means = _running_means(values)
    curve = np.interp(confidence[::-1], scores[::-1], means[::-1])[::-1]
    return float(np.mean(curve[first : last + 1]))


def _running_means(values: np.ndarray) -> np.ndarray:
    """Mean of the first 1, 2, ... values that are not NaN; 1 if all are NaN."""
    known = ~np.isnan(values)
    if not known.any():
        return np.ones(len(values))
    sums, counts = np.nancumsum(values), np.cumsum(known)
    return np.divide(sums, counts, out=np.zeros_like(sums), where=counts != 0)


def _errors(
    truth: DetectionBoxes, predicted: DetectionBoxes, period: float
) -> dict[str, np.ndarray]:
    """Errors of matched pairs.

    Raises:
        DepthDataError: a size that is not positive.
    """
    for boxes in (truth, predicted):
        if not (boxes.size > 0).all():
            size = boxes.size[(boxes.size <= 0).any(1)][0]
            raise DepthDataError(f'expected boxes of positive size, got {size.tolist()}')
    right = (truth.attribute == predicted.attribute).astype(float)
    smaller = np.minimum(truth.size, predicted.size).prod(1)
    union = truth.size.prod(1) + predicted.size.prod(1) - smaller
    turn = _angle(yaws_of(truth.rotation) - yaws_of(predicted.rotation), period)
    return dict(
        trans_err=_lengths(predicted.centre[:, :2] - truth.centre[:, :2]),
        scale_err=1 - smaller / union,
        orient_err=np.abs(turn),
        vel_err=_lengths(predicted.velocity - truth.velocity),
        attr_err=1 - np.where(truth.attribute < 0, np.nan, right),
    )


def _lengths(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(dots(vectors, vectors))


def _angle(difference: np.ndarray, period: float) -> np.ndarray:
    """Angle in (-pi, pi], modulo the period."""
    wrapped = (difference + period / 2) % period - period / 2
    return np.where(wrapped > np.pi, wrapped - 2 * np.pi, wrapped)
