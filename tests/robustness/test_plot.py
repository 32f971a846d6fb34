import numpy as np
import pytest
from PIL import Image

from hybrid_depth.robustness.plot import draw_reports
from hybrid_depth.robustness.report import summarise
from tests.robustness.test_report import ROWS, Condition, metrics


def test_plot_of_several_reports(reports, tmp_path):
    draw_reports(reports, tmp_path / 'plot.png')
    image = np.asarray(Image.open(tmp_path / 'plot.png').convert('RGB'))
    assert image.shape[0] > 400 and image.shape[1] > 800
    colors = {tuple(color) for color in image.reshape(-1, 3)}
    assert {(31, 119, 180), (255, 127, 14)} <= colors  # matplotlib's first two: both reports


@pytest.mark.parametrize('row', [0, 3, 8])
def test_every_score_is_drawn(tmp_path, row):
    """The clean one, one of a corruption, and one of turned cameras."""
    images = []
    for score in (0.2, 0.3):
        results = [(condition, metrics(0.3)) for condition in ROWS]
        results[row] = (ROWS[row], metrics(score))
        draw_reports(dict(a=summarise(results, {})), tmp_path / 'plot.png')
        images.append(np.asarray(Image.open(tmp_path / 'plot.png')))
    assert images[0].shape == images[1].shape and (images[0] != images[1]).any()


def test_clean_scores_alone_are_no_plot(tmp_path):
    draw_reports(dict(a=summarise([(ROWS[0], metrics(0.3))], {})), tmp_path / 'plot.png')
    assert not any(tmp_path.iterdir())


def test_other_data_is_a_panel_of_bars(reports, tmp_path):
    rows = [*ROWS, Condition('data', 'data/high'), Condition('data', 'data/wide')]
    report = summarise([(row, metrics(0.3)) for row in rows], {})
    draw_reports(dict(hybrid=report), tmp_path / 'plot.png')
    draw_reports(dict(hybrid=reports['hybrid']), tmp_path / 'without.png')
    with_bars, without = (Image.open(tmp_path / n) for n in ('plot.png', 'without.png'))
    assert with_bars.size[0] > without.size[0]
