"""Plots of logged scalars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..files import atomic_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 3


def plot_curves(
    runs: Mapping[str, Mapping[str, Mapping[int, float]]], names: Sequence[str], path: str | Path
) -> None:
    """One plot per scalar with a line per run, over training steps.

    Args:
        runs: by name, scalars by name and step (`read_curves`).
        names: scalars; runs without one have no line in its plot.
        path: image file, of a format that matplotlib writes (.png, .svg, .pdf).
    """
    from matplotlib.figure import Figure

    columns = min(_COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(4.5 * columns, 3.2 * rows), layout='constrained')
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis, name in zip(axes, names, strict=False):
        axis.set_title(name, fontsize=9)
        axis.set_xlabel('step', fontsize=8)
        axis.grid(alpha=0.3)
        for run, curves in runs.items():
            curve = sorted(curves.get(name, {}).items())
            if curve:  # few values, such as of validations, have marks
                axis.plot(
                    *zip(*curve, strict=True), 'o-' if len(curve) < 30 else '-', ms=3, label=run
                )
    for axis in axes[len(names) :]:
        axis.axis('off')
    handles = {h.get_label(): h for a in figure.axes for h in a.get_lines()}
    figure.legend(handles.values(), handles.keys(), loc='outside lower center', ncols=4)
    _save(figure, path)


def plot_bars(
    runs: Mapping[str, Mapping[str, float]], names: Sequence[str], path: str | Path
) -> None:
    """Bars of some numbers of runs, one group per number.

    Args:
        runs: numbers by run and name.
        names: numbers shown.
        path: image file, see `plot_curves`.
    """
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(max(5.0, 0.35 * len(names) * (len(runs) + 1)), 4), layout='constrained'
    )
    axis = figure.subplots()
    width = 0.8 / len(runs)
    for place, (run, numbers) in enumerate(runs.items()):
        left = [x + (place - (len(runs) - 1) / 2) * width for x in range(len(names))]
        axis.bar(left, [numbers.get(name, math.nan) for name in names], width, label=run)
    axis.set_xticks(range(len(names)), names, rotation=40, ha='right', fontsize=8)
    axis.grid(axis='y', alpha=0.3)
    axis.legend(fontsize=8)
    _save(figure, path)


def _save(figure: Figure, path: str | Path) -> None:
    with atomic_file(path) as file:
        figure.savefig(file, format=Path(path).suffix[1:] or 'png', dpi=110)
