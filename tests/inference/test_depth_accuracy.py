import math

import numpy as np

from hybrid_depth.geometry import Provenance
from hybrid_depth.inference.depth_accuracy import DepthAccuracy


def test_shares_by_origin_and_range():
    table = DepthAccuracy()
    truth = np.array([5.0, 5, 15, 15, 40, 0, 90, 20])
    depth = np.array([5.2, 5.6, 16.4, 15.1, 0, 7, 90, 20])
    origin = np.array([1, 1, 3, 3, 0, 1, 1, 4], np.uint8)
    table.add(depth, origin, truth)
    assert table.share(Provenance.ROAD) == (0.5, 0.5)
    assert table.share(Provenance.VERTICAL) == (0.5, 1.0)
    assert table.share(Provenance.VERTICAL, span=1) == (0.5, 1.0)
    assert math.isnan(table.share(Provenance.VERTICAL, span=0)[0])
    # not measured and out of range are not counted, pixels without depth are counted apart
    assert table.pixels.sum() == 6
    assert 'measured pixels without depth: 1 of 6' in str(table)
    assert table.share(Provenance.FILLED, span=2) == (1.0, 1.0)
