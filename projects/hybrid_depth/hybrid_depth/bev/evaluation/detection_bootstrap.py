"""Bootstrap intervals of detection scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .detection_protocol import DetectionProtocol
from .detection_scores import DetectionScores, MatchedClass
from .evaluation_samples import EvaluationSamples

_FEWEST_SCENES = 10
_PERCENTILES = (2.5, 97.5)


def bootstrap_intervals(
    matched: Sequence[MatchedClass],
    samples: EvaluationSamples,
    protocol: DetectionProtocol,
    resamples: int,
    seed: int = 0,
) -> dict:
    """95 % intervals of mAP and NDS over sets of scenes drawn with replacement.

    Samples of a scene resemble each other, so scenes are drawn; of fewer than ten scenes, samples,
    and the interval is then too narrow. Percentiles of the resamples (Efron, The Annals of
    Statistics 7, 1979).

    Args:
        matched: of `match_detections`; matches do not depend on other samples.
        samples: evaluated samples.
        protocol: benchmark.
        resamples: number of sets.
        seed: of the draws.

    Returns:
        `unit` ('scenes' or 'samples'), `units` (their number), `resamples`, as `mAP` and `NDS` the
        ends of the intervals, and as `draws` the values of the sets, `mAP` and `NDS`. Draws of two
        models on the same samples are of the same sets, so their differences have an interval too
        (`interval_of_difference`).
    """
    scenes, unit_of = np.unique(samples.scenes, return_inverse=True)
    unit, units = 'scenes', len(scenes)
    if units < _FEWEST_SCENES:
        unit, units = 'samples', len(samples.tokens)
        unit_of = np.arange(units)
    random = np.random.default_rng(seed)
    drawn = [
        _scores_of(
            matched,
            np.bincount(random.integers(units, size=units), minlength=units)[unit_of],
            protocol,
        )
        for _ in range(resamples)
    ]
    values = dict(mAP=[one.mean_ap for one in drawn], NDS=[one.nds for one in drawn])
    ends = {name: np.percentile(value, _PERCENTILES).tolist() for name, value in values.items()}
    return dict(unit=unit, units=units, resamples=resamples, **ends, draws=values)


def interval_of_difference(draws: Sequence[float], others: Sequence[float]) -> list[float]:
    """Ends of the 95 % interval of a difference, draws minus others, over the same sets.

    Raises:
        ValueError: they are not of the same number of sets.
    """
    if len(draws) != len(others):
        raise ValueError(
            f'expected draws of the same sets, got {len(draws)} and {len(others)} of them'
        )
    return np.percentile(np.subtract(draws, others), _PERCENTILES).tolist()


def _scores_of(
    matched: Sequence[MatchedClass], times: np.ndarray, protocol: DetectionProtocol
) -> DetectionScores:
    """Scores with each sample (S,) counted so many times."""
    classes = {}
    for one in matched:
        rows = np.repeat(np.arange(len(one.predicted)), times[one.predicted.sample])
        boxes = int(times[one.truth.sample].sum())
        classes[one.name] = one.scores(protocol, [rows] * len(protocol.distances), boxes)
    return DetectionScores(classes, protocol)
