"""Rows of a report."""

import pytest

from hybrid_depth.depth_worth.report import summarise
from hybrid_depth.depth_worth.swaps import PREDICTED, TRUE, class_swaps, range_swaps

SWAPS = [PREDICTED, TRUE, *range_swaps((0, 10)), *class_swaps(['car'])]
MAPS = (0.2, 0.3, 0.25, 0.24, 0.19, 0.28, 0.2, 0.3, 0.3, 0.2)


def row(score: float) -> dict:
    draws = [score - 0.02, score, score + 0.01]
    return dict(
        mAP=score,
        NDS=score / 2,
        AP=dict(car=score),
        classes_present=['car'],
        draws=dict(mAP=draws, NDS=[0.0] * 3),
        interval=dict(unit='samples', units=4, resamples=3, mAP=[0.1, 0.4], NDS=[0.1, 0.2]),
        share=score,
    )


@pytest.fixture
def results() -> list:
    return [(swap, row(score)) for swap, score in zip(SWAPS, MAPS, strict=True)]


@pytest.fixture
def summary(results) -> dict:
    return summarise(results, dict(config='c'))
