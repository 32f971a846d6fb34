"""Plot of robustness reports: a score over the strength of each corruption."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..files import atomic_file

_SHOWN = (('NDS', 'NDS, higher is better'), ('abs_rel', 'depth AbsRel, lower is better'))
_COLUMNS = 6


def draw_reports(reports: Mapping[str, dict], path: Path) -> None:
    """Draw one panel per corruption and score, with a line per report from its clean score on.

    Other data roots share a panel, one bar per report and root.

    Args:
        reports: by name; all with the clean row.
        path: PNG file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = _panels(reports)
    if not panels:  # the clean scores alone
        return
    scores = [
        (key, title)
        for key, title in _SHOWN
        if any(key in row['scores'] for report in reports.values() for row in report['rows'])
    ]
    columns = min(len(panels), _COLUMNS)
    rows = -(-len(panels) // columns)
    size = (2.2 * columns + 0.4, (1.9 * rows + 0.4) * len(scores) + 0.3)
    figure = Figure(size, layout='constrained')
    FigureCanvasAgg(figure)
    blocks = figure.subfigures(len(scores), 1, squeeze=False)[:, 0]
    for block, (key, title) in zip(blocks, scores, strict=True):
        axes = block.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for panel, axis in zip(panels, axes, strict=False):
            draw = _draw_roots if panel == 'data' else _draw_lines
            draw(axis, reports, panel, key)
            axis.tick_params(labelsize=7)
            axis.grid(alpha=0.3)
        axes[0].set_ylim(0, 1.05 * _largest(reports, key))
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        block.suptitle(title, fontsize=11)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc='outside lower center', ncols=len(labels), fontsize=8, frameon=False
    )
    with atomic_file(path) as file:
        figure.savefig(file, format='png', dpi=130)


def _panels(reports: Mapping[str, dict]) -> list[str]:
    rows = [row for report in reports.values() for row in report['rows']]
    curves = [row['name'] for row in rows if row['kind'] in ('corruption', 'extrinsics')]
    return list(dict.fromkeys(curves + ['data'] * any(row['kind'] == 'data' for row in rows)))


def _largest(reports: Mapping[str, dict], key: str) -> float:
    rows = [row['scores'] for report in reports.values() for row in report['rows']]
    return max(scores.get(key, 0) for scores in rows) or 1


def _rows_of(reports: Mapping[str, dict], panel: str) -> list[dict]:
    """The clean rows and those of a corruption."""
    rows = [row for report in reports.values() for row in report['rows']]
    return [row for row in rows if row['name'] in ('clean', panel)]


def _draw_lines(axis, reports: Mapping[str, dict], panel: str, key: str) -> None:
    for name, report in reports.items():
        points = [
            (row['strength'], row['scores'][key])
            for row in _rows_of({name: report}, panel)
            if key in row['scores']
        ]
        axis.plot(*zip(*sorted(points), strict=True), marker='o', markersize=3, label=name)
    is_angle = panel == 'extrinsics'
    axis.set_title(f'{panel.replace("_", " ")}{", degrees" if is_angle else ""}', fontsize=9)
    axis.set_xticks(sorted({row['strength'] for row in _rows_of(reports, panel)}))


def _draw_roots(axis, reports: Mapping[str, dict], panel: str, key: str) -> None:
    width = 0.8 / len(reports)
    for place, (name, report) in enumerate(reports.items()):
        bars = [
            (Path(row['name']).name or row['name'], row['scores'].get(key, 0))
            for row in report['rows']
            if row['kind'] in ('clean', panel)
        ]
        places = [index + place * width for index in range(len(bars))]
        axis.bar(places, [value for _, value in bars], width, label=name)
        axis.set_xticks(range(len(bars)), [label for label, _ in bars], rotation=30, fontsize=7)
    axis.set_title('other data', fontsize=9)
