"""Plots of scalars and of reports."""

import cv2
import numpy as np
import pytest

from hybrid_depth.visualization import curves
from hybrid_depth.visualization.curves import plot_bars, plot_curves

RUNS = dict(a={'loss': {2: 1.0, 1: 3.0}, 'lr': {1: 0.1}}, b={'loss': {1: 2.0}})


@pytest.fixture
def figures(monkeypatch) -> list:
    kept, save = [], curves._save
    monkeypatch.setattr(
        curves, '_save', lambda figure, path: kept.append(figure) or save(figure, path)
    )
    return kept


def test_curves(figures, tmp_path):
    plot_curves(RUNS, ['loss', 'lr'], tmp_path / 'a.png')
    loss, lr = figures[0].axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in loss.get_lines()}
    assert lines == dict(a=[[1, 3], [2, 1]], b=[[1, 2]])
    assert [line.get_label() for line in lr.get_lines()] == ['a']
    assert cv2.imread(str(tmp_path / 'a.png')).std() > 1


def test_places_without_a_plot_are_empty(figures, tmp_path):
    plot_curves(RUNS, ['loss', 'lr', 'x', 'y'], tmp_path / 'a.svg')
    assert [axis.axison for axis in figures[0].axes] == [True] * 4 + [False] * 2
    assert b'<svg' in (tmp_path / 'a.svg').read_bytes()


def test_bars(figures, tmp_path):
    plot_bars(dict(a=dict(mAP=0.5, NDS=0.2), b=dict(mAP=0.25)), ['mAP', 'NDS'], tmp_path / 'a.png')
    [axis] = figures[0].axes
    heights = [[bar.get_height() for bar in bars] for bars in axis.containers]
    np.testing.assert_equal(heights, [[0.5, 0.2], [0.25, np.nan]])
