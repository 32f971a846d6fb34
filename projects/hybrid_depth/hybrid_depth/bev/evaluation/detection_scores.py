"""Average precision by centre distance, true-positive errors, and their summary (mAP, NDS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .detection_boxes import DetectionBoxes
from .detection_matching import match_by_distance

ERRORS = ('trans_err', 'scale_err', 'orient_err', 'vel_err', 'attr_err')
_RECALLS = np.linspace(0, 1, 101)
_NUSCENES_RANGES = dict(
    car=50.0,
    truck=50.0,
    bus=50.0,
    trailer=50.0,
    construction_vehicle=50.0,
    pedestrian=40.0,
    motorcycle=40.0,
    bicycle=40.0,
    traffic_cone=30.0,
    barrier=30.0,
)


@dataclass(frozen=True)
class DetectionProtocol:
    """Detection benchmark; by default that of nuScenes (docs/reference/nuscenes.md, "Scores").

    Args:
        ranges: classes, with the largest distance from the vehicle that is evaluated, metres.
        distances: limits of matches over which average precision is averaged, metres.
        error_distance: limit of the matches whose errors are averaged; one of `distances`.
        min_recall: recall from which on precision and errors count.
        min_precision: precision that counts as 0.
        ap_weight: weight of mAP in the summary, beside 1 for each error.
        half_turn: classes whose yaw is known up to half a turn.
        undefined: errors that do not exist, by class.
    """

    ranges: Mapping[str, float] = field(default_factory=lambda: dict(_NUSCENES_RANGES))
    distances: Sequence[float] = (0.5, 1.0, 2.0, 4.0)
    error_distance: float = 2.0
    min_recall: float = 0.1
    min_precision: float = 0.1
    ap_weight: float = 5.0
    half_turn: Sequence[str] = ('barrier',)
    undefined: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: dict(
            traffic_cone=('attr_err', 'vel_err', 'orient_err'), barrier=('attr_err', 'vel_err')
        )
    )

    @property
    def classes(self) -> list[str]:
        """Names of the classes; labels of boxes are indices into it."""
        return list(self.ranges)


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
    ap_weight: float

    @property
    def mean_ap(self) -> float:
        """Mean over the classes; one without boxes counts as 0."""
        return float(np.mean([scores.ap for scores in self.classes.values()]))

    @property
    def errors(self) -> dict[str, float]:
        """Mean of each error over the classes that have it."""
        return {
            name: float(np.nanmean([scores.errors[name] for scores in self.classes.values()]))
            for name in ERRORS
        }

    @property
    def nds(self) -> float:
        """Weighted mean of mAP and 1 - error, errors clipped to 1."""
        goodness = [max(0.0, 1.0 - error) for error in self.errors.values()]
        return float(self.ap_weight * self.mean_ap + np.sum(goodness)) / float(
            self.ap_weight + len(goodness)
        )


def score_detections(
    truth: DetectionBoxes, predicted: DetectionBoxes, protocol: DetectionProtocol
) -> DetectionScores:
    """Scores of predictions, equal to those of the nuScenes devkit on the same numbers.

    Args:
        truth, predicted: boxes, already filtered by range; labels are indices of
            `protocol.classes`.
        protocol: benchmark.
    """
    return DetectionScores(
        {
            name: _score_class(
                truth[truth.label == i], predicted[predicted.label == i], name, protocol
            )
            for i, name in enumerate(protocol.classes)
        },
        protocol.ap_weight,
    )


def _score_class(
    truth: DetectionBoxes, predicted: DetectionBoxes, name: str, protocol: DetectionProtocol
) -> ClassScores:
    undefined = protocol.undefined.get(name, ())
    aps = dict.fromkeys(protocol.distances, 0.0)
    errors = {error: np.nan if error in undefined else 1.0 for error in ERRORS}
    order, matches = match_by_distance(truth, predicted, protocol.distances)
    predicted = predicted[order]
    for distance, matched in zip(protocol.distances, matches, strict=True):
        if not (matched >= 0).any():
            continue
        precision, confidence = _curves(matched >= 0, predicted.score, len(truth))
        aps[distance] = _average_precision(precision, protocol)
        if distance == protocol.error_distance:
            hits = matched >= 0
            period = np.pi if name in protocol.half_turn else 2 * np.pi
            found = _errors(truth[matched[hits]], predicted[hits], period)
            for error in set(ERRORS) - set(undefined):
                scores = predicted.score[hits]
                errors[error] = _mean_error(found[error], scores, confidence, protocol)
    return ClassScores(len(truth), aps, errors)


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
    """Errors of matched pairs."""
    right = (truth.attribute == predicted.attribute).astype(float)
    smaller = np.minimum(truth.size, predicted.size).prod(1)
    union = truth.size.prod(1) + predicted.size.prod(1) - smaller
    return dict(
        trans_err=_length(predicted.centre[:, :2] - truth.centre[:, :2]),
        scale_err=1 - smaller / union,
        orient_err=np.abs(_angle(truth.yaw - predicted.yaw, period)),
        vel_err=_length(predicted.velocity - truth.velocity),
        attr_err=1 - np.where(truth.attribute < 0, np.nan, right),
    )


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(vectors[:, 0] ** 2 + vectors[:, 1] ** 2)


def _angle(difference: np.ndarray, period: float) -> np.ndarray:
    """Angle in (-pi, pi], modulo the period."""
    wrapped = (difference + period / 2) % period - period / 2
    return np.where(wrapped > np.pi, wrapped - 2 * np.pi, wrapped)
