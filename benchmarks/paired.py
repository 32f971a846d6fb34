"""Questions answered by paired seeds, with rules that are fixed before the runs.

A comparison pairs the runs of two rows by their seed, which fixes the initial weights, the order of
the images and, where a study says so, the training data. It is decided by the bootstrap interval of
the mean paired improvement over the seeds (all resamples of the pairs, not a random sample):

- yes: the whole interval is above 0;
- no: the whole interval is below the smallest improvement that matters;
- not decided: anything else, and any comparison with fewer than `DECISIVE_SEEDS` pairs.

The interval is nominally of 99 %. Five pairs are few for a bootstrap: without any effect (normal
differences, 4,000 simulated studies) it says yes in 5 % of the cases, a 95 % interval in 8 %. It is
about training noise on fixed scenes, not about other scenes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

DECISIVE_SEEDS = 5
LEVEL = 0.99

#: Scores of the finished runs: row, seed, metric.
Scores = Mapping[str, Mapping[int, Mapping[str, float]]]


class Interval(NamedTuple):
    """Mean of paired differences with its bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Whether a row improves on another.

    Attributes:
        case: what distinguishes it within its question, such as the amount of data.
        row, baseline: names of rows of the study.
    """

    case: str
    row: str
    baseline: str


@dataclass(frozen=True)
class Question:
    """Question with the comparisons that decide it.

    Attributes:
        name: short name, of files.
        text: the question.
        metric: name in the scores.
        lower_is_better: whether the metric is an error.
        margin: smallest improvement that matters, in the unit of the metric.
        comparisons: one answer each.
    """

    name: str
    text: str
    metric: str
    lower_is_better: bool
    margin: float
    comparisons: tuple[Comparison, ...]

    @property
    def rows(self) -> list[str]:
        """Rows of all comparisons, once each."""
        pairs = [(c.row, c.baseline) for c in self.comparisons]
        return list(dict.fromkeys(row for pair in pairs for row in pair))


def paired_interval(differences: Sequence[float], level: float = LEVEL) -> Interval:
    """Mean and percentile bootstrap interval over all n^n resamples of n differences.

    Example:
        >>> paired_interval([0.1, 0.1, 0.1]).low.round(6).item()
        0.1
    """
    values = np.asarray(differences, np.float64)
    means = values[_resamples(len(values))].mean(1)
    low, high = np.percentile(means, [50 * (1 - level), 50 * (1 + level)])
    return Interval(float(values.mean()), low, high)


@cache
def _resamples(count: int) -> np.ndarray:
    return np.array(list(product(range(count), repeat=count)))


def improvements(question: Question, comparison: Comparison, scores: Scores) -> dict[int, float]:
    """Improvement of the row on its baseline by seed, of the seeds that both have."""
    row, baseline = scores.get(comparison.row, {}), scores.get(comparison.baseline, {})
    sign = -1 if question.lower_is_better else 1
    return {
        seed: sign * (row[seed][question.metric] - baseline[seed][question.metric])
        for seed in sorted(row.keys() & baseline.keys())
    }


def verdict(question: Question, differences: Sequence[float]) -> str:
    """'yes', 'no' or 'not decided', by the rules of this module."""
    if len(differences) < DECISIVE_SEEDS:
        return 'not decided'
    _, low, high = paired_interval(differences)
    if low > 0:
        return 'yes'
    return 'no' if high < question.margin else 'not decided'


def answer(question: Question, scores: Scores) -> str:
    """One line: the question, and verdict, mean, interval and seeds of each comparison."""
    parts = []
    for comparison in question.comparisons:
        found = list(improvements(question, comparison, scores).values())
        part = f'{comparison.case}: **{verdict(question, found)}**'
        if len(found) < DECISIVE_SEEDS:
            part += f' ({len(found)} of {DECISIVE_SEEDS} seeds)'
        else:
            mean, low, high = paired_interval(found)
            part += f' ({mean:+.4f}, {LEVEL:.0%} interval {low:+.4f} to {high:+.4f})'
        parts.append(part)
    return f'{question.text} {"; ".join(parts)}.'


def comparison_table(question: Question, scores: Scores) -> str:
    """Markdown table of the comparisons: scores of the paired seeds, improvement and verdict."""
    metric = question.metric.rsplit('/', 1)[-1]
    header = ['case', 'row', 'baseline', 'pairs', metric, 'of the baseline', 'improvement', 'help?']
    rows = [header, ['---'] * len(header)]
    for comparison in question.comparisons:
        found = improvements(question, comparison, scores)
        means = [
            f'{np.mean([scores[name][seed][question.metric] for seed in found]):.4f}'
            if found
            else '-'
            for name in (comparison.row, comparison.baseline)
        ]
        values = ', '.join(f'{value:+.4f}' for value in found.values()) or '-'
        rows.append(
            [
                comparison.case,
                f'`{comparison.row}`',
                f'`{comparison.baseline}`',
                str(len(found)),
                *means,
                values,
                verdict(question, list(found.values())),
            ]
        )
    return ''.join(f'| {" | ".join(row)} |\n' for row in rows)
