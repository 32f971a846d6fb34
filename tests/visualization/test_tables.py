"""Tables in three styles."""

import csv
import math

import pytest

from hybrid_depth.cli import compare
from hybrid_depth.visualization.tables import FORMATS, format_table

HEADER = ['', 'a_1', 'b']
ROWS = [['mAP', 0.123456, None], ['num', 32.0, math.nan], ['x, y', 1234.56, -1.5]]


def test_markdown():
    lines = format_table(HEADER, ROWS, 'markdown').splitlines()
    assert lines[:3] == [
        '|      |    a_1 |       b |',
        '| :--- | -----: | ------: |',
        '| mAP  | 0.1235 |         |',
    ]
    assert len({len(line) for line in lines}) == 1


def test_csv_has_all_digits():
    rows = list(csv.reader(format_table(HEADER, ROWS, 'csv').splitlines()))
    assert rows[1:] == [
        ['mAP', '0.123456', ''],
        ['num', '32.0', 'nan'],
        ['x, y', '1234.56', '-1.5'],
    ]


def test_latex():
    lines = format_table(HEADER, ROWS, 'latex').splitlines()
    assert lines[0] == r'\begin{tabular}{lrr}' and lines[-1] == r'\end{tabular}'
    assert lines[2] == r' & a\_1 & b \\' and lines[5] == r'num & 32 & nan \\'


def test_other_styles_are_refused():
    with pytest.raises(ValueError, match="got 'html'"):
        format_table(HEADER, ROWS, 'html')


def test_styles_of_the_command_line():
    """Written twice, as the module is imported after parsing."""
    assert compare.FORMATS == FORMATS
