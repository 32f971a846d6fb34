"""A study's results as a plot."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from hybrid_depth.files import atomic_file

_ROW, _PANEL = 0.3, 2.6  # inches


def plot_study(
    results: Mapping[str, Sequence[dict[str, float]]], metrics: Sequence[str], path: Path
) -> None:
    """A panel a metric, a row a name: a dot a seed, and a line at the mean of several.

    A metric whose scores differ tenfold gets a logarithmic axis.

    Args:
        results: name of a row -> scores of its seeds.
        metrics: names in the scores, one a panel, called by their last part.
        path: of the PNG.
    """
    size = (2 + _PANEL * len(metrics), 0.8 + _ROW * len(results))
    figure = Figure(figsize=size, layout='constrained')
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for panel, metric in zip(panels, metrics, strict=True):
        for row, scores in enumerate(results.values()):
            values = [score[metric] for score in scores]
            panel.plot(values, [row] * len(values), 'o', color='tab:blue', alpha=0.6)
            if len(values) > 1:
                mean = sum(values) / len(values)
                panel.plot([mean, mean], [row - 0.35, row + 0.35], color='tab:blue', lw=2)
        seen = [score[metric] for scores in results.values() for score in scores]
        if 0 < 10 * min(seen) < max(seen):
            panel.set_xscale('log')
            panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            panel.xaxis.set_major_formatter('{x:g}')
            panel.xaxis.set_minor_locator(NullLocator())
        panel.set_title(metric.rsplit('/', 1)[-1])
        panel.grid(axis='x', alpha=0.3)
    panels[0].set_yticks(range(len(results)), list(results))
    panels[0].invert_yaxis()
    with atomic_file(path, 'wb') as file:
        figure.savefig(file, format='png', dpi=100)
