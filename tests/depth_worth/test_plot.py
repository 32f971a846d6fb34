"""Plot of a report on depth."""

import numpy as np
from PIL import Image

from hybrid_depth.depth_worth.plot import draw_report


def test_plot_has_bars_of_both_tests(summary, tmp_path):
    draw_report(summary, tmp_path / 'a.png')
    draw_report(dict(summary, parts=summary['parts'][:1]), tmp_path / 'b.png')
    first, second = (
        np.asarray(Image.open(tmp_path / n).convert('RGB')) for n in ('a.png', 'b.png')
    )
    assert first.shape[0] > second.shape[0]
    blue, orange = (first[..., 2] > first[..., 0] + 60), (first[..., 0] > first[..., 2] + 60)
    assert blue.sum() > 2000 and orange.sum() > 2000
