"""Plot of a study's results."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from hybrid_depth.files import atomic_file

_ROW, _PANEL = 0.3, 2.6  # inches


def column_names(metrics: Sequence[str]) -> list[str]:
    """Last parts of metric names; all parts but the first where those are ambiguous.

    Example:
        >>> column_names(['depth/abs_rel', 'depth/moving/abs_rel'])
        ['abs_rel', 'moving/abs_rel']
    """
    names = [metric.rsplit('/', 1)[-1] for metric in metrics]
    if len(set(names)) < len(names):
        return [metric.split('/', 1)[-1] for metric in metrics]
    return names


def plot_study(
    results: Mapping[str, Sequence[dict[str, float]]], metrics: Sequence[str], path: Path
) -> None:
    """Plot with one panel per metric and one row per name: a dot per seed and a line at the mean.

    A metric whose scores differ by a factor of ten has a logarithmic axis.

    Args:
        results: scores of the seeds, by name of the row.
        metrics: names in the scores, one per panel; a run may lack some.
        path: output PNG.
    """
    size = (2 + _PANEL * len(metrics), 0.8 + _ROW * len(results))
    figure = Figure(figsize=size, layout='constrained')
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for panel, metric, title in zip(panels, metrics, column_names(metrics), strict=True):
        for row, scores in enumerate(results.values()):
            values = [score[metric] for score in scores if metric in score]
            panel.plot(values, [row] * len(values), 'o', color='tab:blue', alpha=0.6)
            if len(values) > 1:
                mean = sum(values) / len(values)
                panel.plot([mean, mean], [row - 0.35, row + 0.35], color='tab:blue', lw=2)
        seen = [s[metric] for scores in results.values() for s in scores if metric in s]
        if seen and 0 < 10 * min(seen) < max(seen):
            panel.set_xscale('log')
            panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            panel.xaxis.set_major_formatter('{x:g}')
            panel.xaxis.set_minor_locator(NullLocator())
        panel.set_title(title)
        panel.grid(axis='x', alpha=0.3)
    panels[0].set_yticks(range(len(results)), list(results))
    panels[0].invert_yaxis()
    with atomic_file(path, 'wb') as file:
        figure.savefig(file, format='png', dpi=100)
