"""Reports of detection scores, as data and as tables."""

from __future__ import annotations

import math
from collections.abc import Mapping

from terminaltables import AsciiTable

from ...datasets.nuscenes.names import CLASSES
from .detection_protocol import ERRORS
from .detection_scores import DetectionScores


def detection_report(scores: DetectionScores, samples: int, predictions: int) -> dict:
    """Content of ``metrics.json``: mAP, NDS, errors, and metrics per class.

    ``mAP`` is the benchmark's: classes without boxes count as 0. ``mAP_present`` is the mean over
    classes with boxes that count. Undefined errors are None.
    """
    return dict(
        **_summary(scores),
        classes_present=[name for name, one in scores.classes.items() if one.boxes],
        num_samples=samples,
        num_gt=sum(one.boxes for one in scores.classes.values()),
        num_predictions=predictions,
        classes={
            name: dict(
                num_gt=one.boxes,
                AP=one.ap,
                AP_dist={str(distance): ap for distance, ap in one.aps.items()},
                **{error: _finite(one.errors[error]) for error in ERRORS},
            )
            for name, one in scores.classes.items()
        },
    )


def parts_report(parts: Mapping[str, Mapping[str, DetectionScores]]) -> dict:
    """Scores of parts (`scores_of_parts`) with AP per class; classes without boxes have none."""
    return {
        kind: {
            name: dict(
                **_summary(scores),
                num_gt=sum(one.boxes for one in scores.classes.values()),
                AP={c: one.ap for c, one in scores.classes.items() if one.boxes},
            )
            for name, scores in found.items()
        }
        for kind, found in parts.items()
    }


def _summary(scores: DetectionScores) -> dict:
    errors = scores.errors
    return dict(
        mAP=scores.mean_ap,
        NDS=scores.nds,
        mAP_present=scores.mean_ap_present,
        **{mean: _finite(errors[name]) for name, mean in ERRORS.items()},
    )


def _finite(value: float) -> float | None:
    """The value, or None for NaN, which JSON does not have."""
    return None if math.isnan(value) else float(value)


def report_table(report: Mapping) -> str:
    """Table of a report: one line per class, then the means, intervals and parts."""
    rows = [['class', 'boxes', 'AP', 'ATE', 'ASE', 'AOE', 'AVE', 'AAE']]
    for name, entry in report['classes'].items():
        values = [entry['AP'], *(entry[error] for error in ERRORS)]
        rows.append([name, entry['num_gt'], *_cells(values)])
    rows.append(['mean', report['num_gt'], *_cells([report['mAP'], *_means(report)])])
    lines = [
        AsciiTable(rows).table,
        f'mAP {report["mAP"]:.4f}  NDS {report["NDS"]:.4f}  mAP over the '
        f'{len(report["classes_present"])} classes present {report["mAP_present"]:.4f}  '
        f'({report["num_samples"]} samples, {report["num_predictions"]} predictions)',
    ]
    if set(report['classes']) < set(CLASSES):
        lines.append(f"of {len(report['classes'])} of the benchmark's {len(CLASSES)} classes")
    if 'interval' in report:
        lines.append(_interval_line(report['interval']))
    if 'parts' in report:
        lines.append(_parts_table(report['parts']))
    return '\n'.join(lines)


def _interval_line(interval: Mapping) -> str:
    ends = (f'{name} {interval[name][0]:.4f} to {interval[name][1]:.4f}' for name in ('mAP', 'NDS'))
    narrow = ', too narrow for so few scenes' if interval['unit'] == 'samples' else ''
    return (
        f'95 % intervals: {", ".join(ends)} (bootstrap over {interval["units"]} '
        f'{interval["unit"]}{narrow})'
    )


def _parts_table(parts: Mapping) -> str:
    rows = [['part', 'boxes', 'mAP present', 'ATE', 'ASE', 'AOE', 'AVE', 'AAE']]
    for kind, found in parts.items():
        for name, one in found.items():
            values = _cells([one['mAP_present'], *_means(one)])
            rows.append([f'{kind} {name}', one['num_gt'], *values])
    return AsciiTable(rows).table


def _means(report: Mapping) -> list[float | None]:
    return [report[mean] for mean in ERRORS.values()]


def _cells(values: list[float | None]) -> list[str]:
    return ['-' if value is None else f'{value:.3f}' for value in values]
