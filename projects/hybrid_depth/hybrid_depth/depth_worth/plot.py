"""Plot of a report: points of mAP per part."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..files import atomic_file

_SERIES = (
    ('there', 'true depth there alone: gain', 'tab:blue', 0.17),
    ('missing', 'predicted depth there alone: loss', 'tab:orange', -0.17),
)


def draw_report(report: Mapping, path: Path) -> None:
    """Draw points of mAP with their 95 % intervals, one row per part.

    Args:
        report: of `summarise`.
        path: PNG file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    parts = report['parts']
    figure = Figure((7.5, 1.3 + 0.33 * len(parts)), layout='constrained')
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    for test, label, color, shift in _SERIES:
        found = [part[test]['mAP'] for part in parts]
        points = [one['points'] for one in found]
        ends = list(zip(*(one['interval'] for one in found), strict=True))
        heights = [shift - row for row in range(len(parts))]
        axis.barh(heights, points, 0.32, color=color, alpha=0.75, label=label)
        axis.hlines(heights, *ends, color='black', linewidth=1)
    axis.axvline(0, color='black', linewidth=0.8)
    names = [f'{part["name"]} ({100 * part["share"]:.1f} % of cells)' for part in parts]
    axis.set_yticks([-row for row in range(len(parts))], names, fontsize=8)
    kinds = [part['kind'] for part in parts]
    for row in range(1, len(parts)):
        if kinds[row] != kinds[row - 1]:
            axis.axhline(0.5 - row, color='grey', linewidth=0.5)
    before, after = (report[name]['mAP'] for name in ('predicted', 'true'))
    axis.set_title(f'mAP {before:.3f} with predicted, {after:.3f} with true depth', fontsize=10)
    axis.set_xlabel('points of mAP, with 95 % interval')
    axis.grid(axis='x', alpha=0.3)
    axis.legend(fontsize=8, loc='best')
    with atomic_file(path) as file:
        figure.savefig(file, format='png', dpi=130)
