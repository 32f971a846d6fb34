"""Plot of a question that is answered by paired seeds."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from hybrid_depth.files import atomic_file

from .paired import DECISIVE_SEEDS, Question, Scores, improvements, paired_interval

_ROW, _WIDTH = 0.35, 9.0  # inches


def plot_question(question: Question, scores: Scores, path: Path) -> None:
    """Plot scores of the rows (left) and paired improvements of the comparisons (right).

    A dot is a seed; a line is the mean, or with enough seeds the bootstrap interval of the mean
    improvement. The grey band is what does not matter.
    """
    count = max(len(question.rows), len(question.comparisons))
    figure = Figure(figsize=(_WIDTH, 1.2 + _ROW * count), layout='constrained')
    left, right = figure.subplots(1, 2)
    for place, row in enumerate(question.rows):
        values = [seed[question.metric] for seed in scores.get(row, {}).values()]
        left.plot(values, [place] * len(values), 'o', color='tab:blue', alpha=0.6)
        if values:
            left.plot([sum(values) / len(values)], [place], '|', color='black', markersize=14)
    left.set(title=question.metric, yticks=range(len(question.rows)), yticklabels=question.rows)
    for place, comparison in enumerate(question.comparisons):
        found = list(improvements(question, comparison, scores).values())
        right.plot(found, [place] * len(found), 'o', color='tab:green', alpha=0.6)
        if len(found) >= DECISIVE_SEEDS:
            _, low, high = paired_interval(found)
            right.plot([low, high], [place, place], color='black')
    right.axvline(0, color='black', linewidth=0.8)
    right.axvspan(0, question.margin, color='0.9')
    cases = [comparison.case for comparison in question.comparisons]
    right.set(title='improvement, paired seeds', yticks=range(len(cases)), yticklabels=cases)
    for panel, rows in ((left, question.rows), (right, cases)):
        panel.set_ylim(len(rows) - 0.5, -0.5)
    with atomic_file(path, 'wb') as file:
        figure.savefig(file, format='png', dpi=110)
