"""Tables of a report: Markdown for people, CSV for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from ..robustness.tables import pipe_table
from .report import SCORES

_TESTS = ('there', 'missing')


def csv_table(report: Mapping) -> str:
    """One line per part and score: kind, name, share, score, and points with the ends of their
    interval for both tests."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    columns = [f'{test}{end}' for test in _TESTS for end in ('', '_low', '_high')]
    writer.writerow(['kind', 'name', 'share', 'score', *columns])
    for part in report['parts']:
        for score in SCORES:
            found = [part[test][score] for test in _TESTS]
            numbers = [x for one in found for x in (one['points'], *one['interval'])]
            writer.writerow([part['kind'], part['name'], part['share'], score, *numbers])
    return text.getvalue()


def markdown_table(report: Mapping) -> str:
    """Scores with predicted and with true depth, points of mAP of each part, AP of each class."""
    scores = [['depth', 'mAP', '95 %', 'NDS', '95 %']]
    for name in ('predicted', 'true'):
        row = report[name]
        ends = {score: row['interval'][score] for score in SCORES}
        cells = [(f'{row[s]:.3f}', f'{ends[s][0]:.3f} to {ends[s][1]:.3f}') for s in SCORES]
        scores.append([name, *(cell for pair in cells for cell in pair)])
    lines = [['part', 'cells', 'true depth there alone', 'predicted depth there alone']]
    for part in report['parts']:
        gain, loss = part['there']['mAP'], part['missing']['mAP']
        lines.append(
            [part['name'], f'{100 * part["share"]:.1f} %', _points(gain, 1), _points(loss, -1)]
        )
    unit = report['predicted']['interval']
    note = (
        'Points of mAP (of 100) with the 95 % interval of the difference, from '
        f'{unit["resamples"]} draws of {unit["units"]} {unit["unit"]}: true depth there alone '
        'against predicted depth everywhere, and predicted depth there alone against true depth '
        'everywhere.'
    )
    aps = [['AP of a class', 'predicted depth', 'true depth']]
    predicted, true = report['predicted']['AP'], report['true']['AP']
    aps += [[name, f'{ap:.3f}', f'{true[name]:.3f}'] for name, ap in predicted.items()]
    return '\n\n'.join([*map(pipe_table, (scores, lines, aps)), f'{note}\n'])


def _points(found: Mapping, sign: int) -> str:
    low, high = sorted(sign * end for end in found['interval'])
    return f'{sign * found["points"]:+.1f} ({low:+.1f} to {high:+.1f})'
