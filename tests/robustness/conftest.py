"""Reports for the tests of their output."""

import pytest

from hybrid_depth.robustness.report import summarise
from tests.robustness.test_report import NDS, ROWS, metrics


@pytest.fixture
def reports() -> dict:
    detector = summarise([(row, metrics(nds)) for row, nds in zip(ROWS, NDS, strict=True)], {})
    depth = [(row, {'depth/abs_rel': 0.1, 'depth/a1': 0.8}) for row in ROWS[:4]]
    return dict(hybrid=detector, mono=summarise(depth, {}))
