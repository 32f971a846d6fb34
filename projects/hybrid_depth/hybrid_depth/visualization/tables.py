"""Tables as Markdown, CSV or LaTeX."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence

FORMATS = ('markdown', 'csv', 'latex')
_LATEX = re.compile(r'([&%$#_{}])')


def format_table(header: Sequence[str], rows: Sequence[Sequence[object]], style: str) -> str:
    """Table as text; the first column is text, the others numbers.

    Args:
        header: names of the columns.
        rows: cells; None is an empty cell.
        style: one of `FORMATS`; numbers have four significant digits, in CSV all.

    Raises:
        ValueError: another style.

    Example:
        >>> print(format_table(['', 'a'], [['mAP', 0.25]], 'markdown'))
        |     |      a |
        | :-- | -----: |
        | mAP | 0.2500 |
    """
    if style == 'csv':
        text = io.StringIO()
        writer = csv.writer(text, lineterminator='\n')
        writer.writerows([header, *rows])
        return text.getvalue().rstrip('\n')
    cells = [list(header), *[[_cell(value) for value in row] for row in rows]]
    if style == 'markdown':
        return _markdown(cells)
    if style == 'latex':
        return _latex(cells)
    raise ValueError(f'format_table: expected a style of {", ".join(FORMATS)}, got {style!r}')


def _cell(value: object) -> str:
    if value is None:
        return ''
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value) or value == int(value):
        return f'{value:g}'
    return f'{value:.4f}' if abs(value) < 10 else f'{value:.5g}'


def _markdown(cells: list[list[str]]) -> str:
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        '| '
        + ' | '.join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        + ' |'
        for row in cells
    ]
    rules = [
        '-' * (width - 1) + ':' if i else ':' + '-' * (width - 1) for i, width in enumerate(widths)
    ]
    return '\n'.join([lines[0], '| ' + ' | '.join(rules) + ' |', *lines[1:]])


def _latex(cells: list[list[str]]) -> str:
    """Tabular with the rules of booktabs."""
    lines = [' & '.join(_LATEX.sub(r'\\\1', cell) for cell in row) + r' \\' for row in cells]
    start = rf'\begin{{tabular}}{{l{"r" * (len(cells[0]) - 1)}}}'
    return '\n'.join(
        [start, r'\toprule', lines[0], r'\midrule', *lines[1:], r'\bottomrule', r'\end{tabular}']
    )
