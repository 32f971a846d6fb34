"""Scores of a row, and the resilience of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

DETECTION = ('NDS', 'mAP')
DEPTH = ('abs_rel', 'rmse', 'a1')


def scores_of(metrics: Mapping[str, float]) -> dict[str, float]:
    """Detection and depth scores out of the metrics of a test.

    Args:
        metrics: results of `Runner.test`: of `BEVDetectionMetric` or `DepthMetric`, of any prefix.

    Example:
        >>> scores_of({'NuScenes metric/pred_instances_3d_NuScenes/NDS': 0.4, 'depth/a1': 0.9})
        {'NDS': 0.4, 'a1': 0.9}
    """
    found = {}
    for name in (*DETECTION, *DEPTH):
        place = name if name in DETECTION else f'depth/{name}'
        key = next((key for key in metrics if f'/{key}'.endswith(f'/{place}')), None)
        if key is not None:
            found[name] = float(metrics[key])
    return found


def quality(scores: Mapping[str, float], kind: str) -> float | None:
    """Score from 0 to 1 that resilience is computed from; None if it was not measured.

    Args:
        scores: from `scores_of`.
        kind: 'NDS', or 'depth' for 1 - DEE, DEE = (AbsRel - a1 + 1) / 2
            (docs/reference/robustness.md, "Scores").
    """
    if kind == 'NDS':
        return scores.get('NDS')
    if 'abs_rel' not in scores or 'a1' not in scores:
        return None
    return 1 - (scores['abs_rel'] - scores['a1'] + 1) / 2


def resilience_rate(qualities: Sequence[float], clean: float) -> float:
    """RoboBEV's resilience rate of one corruption: mean quality over its strengths, relative to
    the clean one (arXiv 2304.06719, Eq. 2; docs/reference/robustness.md, "Scores").

    Args:
        qualities: of the strengths.
        clean: above 0.

    Example:
        >>> round(resilience_rate([0.25, 0.2, 0.15], clean=0.4), 6)
        0.5
    """
    return sum(qualities) / len(qualities) / clean
