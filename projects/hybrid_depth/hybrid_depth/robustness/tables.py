"""Tables of robustness reports: Markdown for people, CSV for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from .scores import DEPTH, DETECTION
from .transforms import ROBOBEV

COLUMNS = (*DETECTION, *DEPTH)
_FIELDS = ('report', 'kind', 'name', 'strength')


def csv_table(reports: Mapping[str, dict]) -> str:
    """One line per report and row: report, kind, name, strength and scores.

    Args:
        reports: by name.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_FIELDS, *COLUMNS], lineterminator='\n')
    writer.writeheader()
    for name, report in reports.items():
        for row in report['rows']:
            fields = {key: row[key] for key in _FIELDS[1:]}
            writer.writerow(dict(fields, report=name, **row['scores']))
    return text.getvalue()


def markdown_table(reports: Mapping[str, dict]) -> str:
    """Scores by condition, then the resilience of each report by corruption.

    Args:
        reports: by name.
    """
    blocks = [f'## {name}\n\n{_scores(report)}' for name, report in reports.items()]
    return '\n\n'.join([*blocks, f'## Resilience, %\n\n{_resilience(reports)}']) + '\n'


def _scores(report: dict) -> str:
    present = [key for key in COLUMNS if any(key in row['scores'] for row in report['rows'])]
    lines = [['condition', 'strength', *present]]
    for row in report['rows']:
        values = [f'{row["scores"][key]:.4f}' if key in row['scores'] else '-' for key in present]
        lines.append([row['name'], _strength(row), *values])
    return pipe_table(lines)


def _strength(row: dict) -> str:
    if not row['strength']:
        return '-'
    return f'{row["strength"]:g}°' if row['kind'] == 'extrinsics' else f'{row["strength"]:g}'


def _resilience(reports: Mapping[str, dict]) -> str:
    kinds = [(name, kind) for name, report in reports.items() for kind in report['resilience']]
    names = dict.fromkeys(
        corruption
        for report in reports.values()
        for rates in report['resilience'].values()
        for corruption in rates
    )
    lines = [['condition', *(f'{name}, {kind}' for name, kind in kinds)]]
    for corruption in names:
        rates = [reports[name]['resilience'][kind].get(corruption) for name, kind in kinds]
        lines.append([corruption, *map(_percent, rates)])
    means = [_mean(reports[name], kind) for name, kind in kinds]
    lines.append(["mean of RoboBEV's (number)", *means])
    return pipe_table(lines)


def _mean(report: dict, kind: str) -> str:
    count = sum(name in ROBOBEV for name in report['resilience'][kind])
    mean = report['mean_resilience'].get(kind)
    return '-' if mean is None else f'{_percent(mean)} ({count})'


def _percent(rate: float | None) -> str:
    return '-' if rate is None else f'{100 * rate:.1f}'


def pipe_table(lines: Sequence[Sequence[str]]) -> str:
    """Markdown table whose first column is text and whose others are numbers."""
    rule = ['---', *['--:'] * (len(lines[0]) - 1)]
    return '\n'.join(f'| {" | ".join(line)} |' for line in [lines[0], rule, *lines[1:]])
