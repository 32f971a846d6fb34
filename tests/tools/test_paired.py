"""Verdicts of paired seeds on synthetic scores."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.paired import (
    Comparison,
    Question,
    answer,
    comparison_table,
    improvements,
    paired_interval,
    verdict,
)
from benchmarks.paired_plot import plot_question

COMPARISON = Comparison('all data', 'new', 'old')
ERROR = Question('towers', 'Do towers help?', 'depth/abs_rel', True, 0.003, (COMPARISON,))
PRECISION = Question('boxes', 'Do towers help?', 'mAP', False, 0.01, (COMPARISON,))
OLD = np.array([0.120, 0.125, 0.118, 0.131, 0.122])


def scores(question, gains, old=OLD):
    """Scores of two rows, the new one better by the gains."""
    sign = -1 if question.lower_is_better else 1
    return {
        'old': {seed: {question.metric: value} for seed, value in enumerate(old)},
        'new': {
            seed: {question.metric: old[seed] + sign * gain} for seed, gain in enumerate(gains)
        },
    }


@pytest.mark.parametrize('question', [ERROR, PRECISION])
@pytest.mark.parametrize(
    ('gains', 'expected'),
    [
        ([0.021, 0.017, 0.024, 0.019, 0.022], 'yes'),
        ([-0.021, -0.017, -0.024, -0.019, -0.022], 'no'),
        ([0.0005, -0.0005, 0.0002, -0.0004, 0.0001], 'no'),  # less than matters, for certain
        ([0.03, -0.02, 0.04, -0.03, 0.02], 'not decided'),
        ([0.021, 0.017, 0.024, 0.019], 'not decided'),  # one seed too few
        ([], 'not decided'),
    ],
)
def test_verdicts(question, gains, expected):
    found = improvements(question, COMPARISON, scores(question, gains))
    assert list(found.values()) == pytest.approx(gains)
    assert verdict(question, list(found.values())) == expected


def test_the_first_line_says_what_was_found():
    gains = [0.021, 0.017, 0.024, 0.019, 0.022]
    line = answer(ERROR, scores(ERROR, gains))
    assert line.startswith('Do towers help? all data: **yes** (+0.0206, 99% interval +0.0')
    assert answer(ERROR, scores(ERROR, gains[:2])) == (
        'Do towers help? all data: **not decided** (2 of 5 seeds).'
    )


def test_differences_are_of_the_same_seed():
    """Seeds that only one of the rows has are left out; the others are not shifted."""
    found = scores(ERROR, [0.01] * 5)
    del found['old'][0], found['new'][3]
    assert improvements(ERROR, COMPARISON, found) == pytest.approx({1: 0.01, 2: 0.01, 4: 0.01})
    assert '| all data | `new` | `old` | 3 | 0.1117 | 0.1217 |' in comparison_table(ERROR, found)


def test_the_interval_is_that_of_random_resampling():
    values = np.array([0.02, -0.01, 0.03, 0.015, 0.04])
    mean, low, high = paired_interval(values, level=0.9)
    draws = np.random.default_rng(0).choice(values, (200_000, 5)).mean(1)
    assert mean == pytest.approx(values.mean())
    # two standard errors of the random quantiles, and the steps between the 126 possible means
    assert [low, high] == pytest.approx(np.percentile(draws, [5, 95]), abs=1e-3)
    assert low < paired_interval(values, level=0.5).low


def test_the_share_of_false_answers_is_as_the_module_says():
    """Normal differences without any effect: yes in about 5 % of the cases."""
    rng = np.random.default_rng(0)
    found = [verdict(ERROR, rng.normal(0, 0.01, 5)) for _ in range(400)]
    assert 0.02 < np.mean(np.array(found) == 'yes') < 0.09  # three standard errors


def test_plot_of_unfinished_runs(tmp_path):
    for name, found in dict(none={}, all=scores(ERROR, [0.01] * 5)).items():
        plot_question(ERROR, found, tmp_path / f'{name}.png')
        assert np.asarray(Image.open(tmp_path / f'{name}.png').convert('L')).min() < 50
