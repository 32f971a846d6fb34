"""Time of this code against that of an earlier commit, in turn, so that a busy machine slows both.

A worktree of the commit (`git worktree add ../before COMMIT`) holds the state before. Each state
runs in a process of its own that stays, and both do one piece of work after the other.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


class State:
    """A process that runs the work of `benchmarks.before_work` with the package of a checkout."""

    def __init__(self, checkout: str | Path, work: str, data: str) -> None:
        package = Path(checkout).resolve() / 'projects/hybrid_depth'
        if not package.is_dir():
            raise SystemExit(
                f'expected a checkout of this repository, got {checkout}; make one with '
                '`git worktree add ../before COMMIT`'
            )
        path = os.pathsep.join((str(package), str(REPOSITORY)))
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'benchmarks.before', work, data, str(package.parents[1])],
            cwd=REPOSITORY,
            env={**os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': '1'},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.names: list[str] = self._answer()

    def _answer(self) -> object:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f'the process ended with exit code {self.process.wait()}')
        return json.loads(line)

    def seconds(self, name: str) -> tuple[float, float | str]:
        """CPU seconds of one run, and what it returns, to be compared."""
        self.process.stdin.write(name + '\n')
        self.process.stdin.flush()
        return tuple(self._answer())

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def _cpu_time() -> float:
    """CPU seconds of this process and its ended children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def main(checkout: str, work: str, data: str, repeats: int = 7) -> None:
    """Print CPU seconds before and now, the median of their ratios, and whether results agree."""
    states = [State(checkout, work, data), State(REPOSITORY, work, data)]
    print(f'{work}: CPU seconds, one thread, median of {repeats} in turn')
    for name in states[1].names:
        runs = []
        for repeat in range(repeats + 1):  # each state is first as often as second
            order = (0, 1) if repeat % 2 else (1, 0)
            found = {place: states[place].seconds(name) for place in order}
            runs.append([found[0], found[1]])
        runs = runs[1:]  # the first warms up
        before, now = (statistics.median(run[i][0] for run in runs) for i in (0, 1))
        ratio = statistics.median(run[1][0] / run[0][0] for run in runs)
        least = min(run[1][0] for run in runs) / min(run[0][0] for run in runs)
        first, second = runs[0][0][1], runs[0][1][1]
        result = 'equal results' if first == second else f'results {first} and {second}'
        print(
            f'  {name:24} {before:8.3f}  now {now:8.3f}  ratio {ratio:.2f}, of the '
            f'fewest {least:.2f}  {result}',
            flush=True,
        )
    for state in states:
        state.close()


def _serve(work: str, data: str, checkout: str) -> None:
    """Run the work named in each line of the input; answers are lines of JSON."""
    answers = os.fdopen(os.dup(1), 'w', buffering=1)
    os.dup2(2, 1)  # what libraries print is not an answer
    from . import before_work  # of the package of the checkout

    before_work.as_command_line()
    make_works = getattr(before_work, work.replace('-', '_'))
    works: dict[str, Callable[[], float | str]] = make_works(data, Path(checkout) / 'configs')
    print(json.dumps(list(works)), file=answers)
    for line in sys.stdin:
        begin = _cpu_time()
        result = works[line.strip()]()
        print(json.dumps((_cpu_time() - begin, result)), file=answers)


if __name__ == '__main__':
    _serve(*sys.argv[1:])
