"""Studies: several trainings and evaluations by command line, with one table of results.

Every run has a folder. Finished runs of an unchanged recipe are kept, interrupted ones resume from
their last checkpoint, and failed ones are named without stopping the others.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hybrid_depth.digests import differences, digest, file_digest
from hybrid_depth.engine.config import read_config
from hybrid_depth.files import atomic_file
from hybrid_depth.toy_world.api import MARKER

from .learning import read_scalars
from .study_plot import column_names, plot_study

REPOSITORY = Path(__file__).resolve().parents[1]
LOG, RESULT, RECIPE = 'study.log', 'result.json', 'recipe.json'


@dataclass(frozen=True)
class Run:
    """Training run of a study.

    Attributes:
        name: row of the table, common to runs of several seeds.
        config: config file, relative to the repository.
        seed: random seed.
        options: as of `--cfg-options`; '{study}' is replaced by the study's folder, '{seed}' by the
            seed, so that a run can start from the checkpoint of an earlier one.
        scored: evaluate the result by `tools/test.py`; else it only initialises others.
        elsewhere: further evaluations: a name and options such as another data root. Their scores
            are 'NAME/SCORE'.
    """

    name: str
    config: str
    seed: int = 0
    options: tuple[str, ...] = ()
    scored: bool = True
    elsewhere: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def folder(self, study: Path) -> Path:
        """Work dir of the run."""
        return study / f'{self.name}_seed{self.seed}'


def run_study(
    runs: Sequence[Run],
    study: Path,
    metrics: Sequence[str],
    jobs: int = 1,
    threads: int | None = None,
) -> None:
    """Train and evaluate the unfinished runs, print the table; write `study/table.md` and
    `plot.png` if any run is scored.

    A result is used while its recipe (`recipe`) is unchanged; a run of another recipe is refused.

    Args:
        runs: runs, in the required order.
        study: folder of the study.
        metrics: names in the test's `scalars`, columns of the table.
        jobs: number of parallel runs, which share the cores; above 1 no run may need another. Small
            models do not benefit from a second core: two parallel BEV toy runs take as long as one
            on two cores (0.36 s per step in both cases).
        threads: of each run; None for the cores divided by `jobs`.

    Raises:
        SystemExit: some runs failed, or a folder has a run of another recipe.
    """
    _require_same_recipes(runs, study)
    threads = threads or max(1, os.cpu_count() // jobs)
    todo = [run for run in runs if not _done(run, study)]
    with ThreadPoolExecutor(jobs) as pool:
        trained = pool.map(lambda run: _train(run, study, threads), todo)
        failed = [run for run, done in zip(todo, trained, strict=True) if not done]
    if results := finished_results(runs, study):
        text = study_table(runs, study, metrics)
        with atomic_file(study / 'table.md', 'w') as file:
            file.write(text)
        print(text)
        scores = {name: [r['scores'] for r in seeds.values()] for name, seeds in results.items()}
        plot_study(scores, metrics, study / 'plot.png')
    if failed:
        logs = ', '.join(str(run.folder(study) / LOG) for run in failed)
        sys.exit(f'{len(failed)} of {len(runs)} runs failed, see {logs}; the others are kept')


def recipe(run: Run, study: Path) -> dict[str, str]:
    """What a run is made from: digests of its whole config, of its options, of the files that the
    options name, such as the checkpoint of an earlier run, and of its toy worlds."""
    options = _options(run, study)
    for _, further in run.elsewhere:
        options += formatted(further, run, study)
    config = read_config(REPOSITORY / run.config).pretty_text
    values = {option.partition('=')[2] for option in options}
    worlds = {str(Path(value, MARKER)) for value in {*values, *re.findall("'([^']+)'", config)}}
    files = sorted(name for name in values | worlds if (REPOSITORY / name).is_file())
    return dict(
        config=digest(config),
        options=digest(*options),
        **{name: file_digest(REPOSITORY / name) for name in files},
    )


def _options(run: Run, study: Path) -> list[str]:
    return [f'randomness.seed={run.seed}', *formatted(run.options, run, study)]


def formatted(options: Sequence[str], run: Run, study: Path) -> list[str]:
    """Options with the study's folder and the seed of a run."""
    return [option.format(study=study, seed=run.seed) for option in options]


def _require_same_recipes(runs: Sequence[Run], study: Path) -> None:
    for run in runs:
        if (run.folder(study) / RECIPE).is_file():
            held = json.loads((run.folder(study) / RECIPE).read_text())
        elif _done(run, study):
            held = {}  # of a version that did not record it
        else:
            continue
        if changed := differences(held, recipe(run, study)):
            sys.exit(
                f'{run.folder(study)}: expected a run of the same recipe, got another '
                f'{", ".join(changed)}. Remove that folder to train again, or use another study'
            )


def study_table(runs: Sequence[Run], study: Path, metrics: Sequence[str]) -> str:
    """Markdown table: one row per name, mean and (for several seeds) standard deviation of each
    metric, '-' where a run does not have it."""
    rows = [['run', 'seeds', *column_names(metrics), 'training min'], ['---'] * (len(metrics) + 3)]
    for name, seeds in finished_results(runs, study).items():
        results = list(seeds.values())
        cells = [_spread([r['scores'].get(metric) for r in results]) for metric in metrics]
        minutes = statistics.mean(r['training_seconds'] for r in results) / 60
        rows.append([name, str(len(results)), *cells, f'{minutes:.1f}'])
    return ''.join(f'| {" | ".join(row)} |\n' for row in rows)


def _spread(values: list[float | None]) -> str:
    if None in values:
        return '-'
    mean = f'{statistics.mean(values):.4f}'
    return mean if len(values) == 1 else f'{mean} ± {statistics.stdev(values):.4f}'


def _done(run: Run, study: Path) -> bool:
    return (run.folder(study) / RESULT).is_file()


def finished_results(runs: Sequence[Run], study: Path) -> dict[str, dict[int, dict]]:
    """Results (`scores`, `training_seconds`) of the finished scored runs, by name and seed."""
    results = {}
    for run in runs:
        if run.scored and _done(run, study):
            result = json.loads((run.folder(study) / RESULT).read_text())
            results.setdefault(run.name, {})[run.seed] = result
    return results


def _train(run: Run, study: Path, threads: int) -> bool:
    """Train and evaluate a run; False if it fails."""
    folder = run.folder(study)
    folder.mkdir(parents=True, exist_ok=True)
    options = _options(run, study)
    with atomic_file(folder / RECIPE, 'w') as file:
        json.dump(recipe(run, study), file, indent=2)
    print(f'{time.strftime("%H:%M")} {folder} ...', flush=True)
    arguments = [run.config, '--work-dir', folder, '--resume', '--cfg-options', *options]
    if not _tool(folder, threads, 'train.py', *arguments):
        return False
    scores = {}
    if run.scored:
        checkpoint = (folder / 'last_checkpoint').read_text()
        for name, further in (('', ()), *run.elsewhere):
            out = folder / f'test_{name}'.removesuffix('_')
            arguments = [run.config, checkpoint, '--work-dir', out, '--cfg-options', *options]
            further = formatted(further, run, study)
            if not _tool(folder, threads, 'test.py', *arguments, *further):
                return False
            report = max(out.glob('*/*.json'))
            found = json.loads(report.read_text().splitlines()[-1])
            scores |= {f'{name}/{key}'.removeprefix('/'): found[key] for key in found}
    with atomic_file(folder / RESULT, 'w') as file:
        json.dump(dict(scores=scores, training_seconds=_training_seconds(folder)), file, indent=2)
    return True


def _training_seconds(folder: Path) -> float:
    """Time of all iterations, without validation and start-up."""
    entries = [entry for entry in read_scalars(folder) if 'loss' in entry]
    return statistics.mean(entry['time'] for entry in entries) * entries[-1]['iter']


def _tool(folder: Path, threads: int, name: str, *arguments: object) -> bool:
    command = [sys.executable, str(REPOSITORY / 'tools' / name), *map(str, arguments)]
    env = dict(os.environ, OMP_NUM_THREADS=str(threads))
    with open(folder / LOG, 'a') as log:
        done = subprocess.run(command, stdout=log, stderr=log, cwd=REPOSITORY, env=env)
    return done.returncode == 0
