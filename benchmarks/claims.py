"""What the studies of the paper's claims share: phases, plan and answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hybrid_depth.files import atomic_file

from .paired import Question, Scores, answer, comparison_table
from .paired_plot import plot_question
from .study import RESULT, Run, finished_results, formatted, run_study, study_table

BLOCK = 6  # runs between two answers
TOWERS = '{study}/towers'  # link to the folder of `tools/benchmark.py towers`


def link_towers(study: Path, towers: str | None) -> None:
    """Link the folder of trained towers into the study, once they exist."""
    link = Path(TOWERS.format(study=study))
    if towers is not None and Path(towers).is_dir() and not link.exists():
        link.symlink_to(Path(towers).resolve())


def missing_weights(run: Run, study: Path) -> list[str]:
    """Weight files that a run starts from and that do not exist: of towers, or of other runs."""
    values = (option.partition('=')[2] for option in formatted(run.options, run, study))
    return [value for value in values if value.endswith('.pth') and not Path(value).is_file()]


def run_ready(runs: Sequence[Run], study: Path, metrics: Sequence[str], jobs: int) -> None:
    """Train and evaluate the runs whose initial weights exist, with one thread each; name the
    others. Failed runs are named and do not end the study."""
    ready = [run for run in runs if not missing_weights(run, study)]
    if waiting := [run for run in runs if run not in ready]:
        files = sorted({name for run in waiting for name in missing_weights(run, study)})
        print(f'{len(waiting)} runs wait for {", ".join(files[:3])}, ...', flush=True)
    try:
        run_study(ready, study, metrics, jobs=jobs, threads=1)
    except SystemExit as failure:
        print(failure, flush=True)


def run_rows(
    runs: Sequence[Run],
    choices: Sequence[Run],
    questions: Sequence[Question],
    study: Path,
    metrics: Sequence[str],
    jobs: int,
) -> None:
    """Train and evaluate the scored runs that are ready, and write the answers again and again."""
    for first in range(0, len(runs), BLOCK):
        run_ready(runs[first : first + BLOCK], study, metrics, jobs)
        write_answers(runs, choices, questions, study, metrics)


def scores_of(runs: Sequence[Run], study: Path) -> Scores:
    """Scores of the finished runs."""
    return {
        name: {seed: result['scores'] for seed, result in seeds.items()}
        for name, seeds in finished_results(runs, study).items()
    }


def write_answers(
    runs: Sequence[Run],
    choices: Sequence[Run],
    questions: Sequence[Question],
    study: Path,
    metrics: Sequence[str],
) -> None:
    """Write `answers.md`, a section and a plot per question and the tables of all rows and of the
    choosing runs, from what is finished."""
    scores = scores_of(runs, study)
    parts = []
    for question in questions:
        plot_question(question, scores, study / f'{question.name}.png')
        table = comparison_table(question, scores)
        parts.append(
            f'{answer(question, scores)}\n\n{table}\n![{question.text}]({question.name}.png)\n'
        )
    parts.append(f'All rows:\n\n{study_table(runs, study, metrics)}')
    parts.append(f'Choosing runs, on other scenes:\n\n{study_table(choices, study, metrics)}')
    with atomic_file(study / 'answers.md', 'w') as file:
        file.write('\n'.join(parts))
    print('\n'.join(answer(question, scores) for question in questions), flush=True)


def plan(runs: Sequence[Run], study: Path, seconds: Callable[[Run], float]) -> str:
    """Table of the runs by config: number, finished, minutes each and in all, one thread."""
    kinds = Counter(run.config for run in runs)
    done = Counter(run.config for run in runs if (run.folder(study) / RESULT).is_file())
    each = {run.config: seconds(run) / 60 for run in runs}
    lines = [f'{"config":<45}{"runs":>6}{"done":>6}{"minutes":>9}{"hours in all":>14}']
    for config, count in kinds.items():
        hours = count * each[config] / 60
        lines.append(f'{config:<45}{count:>6}{done[config]:>6}{each[config]:>9.1f}{hours:>14.2f}')
    total = sum(each[run.config] for run in runs) / 60
    left = sum(each[c] * (n - done[c]) for c, n in kinds.items()) / 60
    lines.append(f'{len(runs)} runs, {total:.1f} run-hours, {left:.1f} of them left')
    return '\n'.join(lines)


def chosen(candidates: Mapping[float, Run], study: Path, metric: str, lowest: bool) -> float | None:
    """Candidate whose choosing run scored best; None until all have finished."""
    results = {value: finished_results([run], study) for value, run in candidates.items()}
    if not all(results.values()):
        return None
    found = {
        value: result[candidates[value].name][candidates[value].seed]['scores'][metric]
        for value, result in results.items()
    }
    return (min if lowest else max)(found, key=found.get)
