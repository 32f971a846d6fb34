"""What training and testing leave in a work directory: logged scalars and reports of tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from ..errors import DamagedFileError
from ..text_files import read_text

Curve = dict[int, float]  # by step


def read_curves(work_dir: str | Path) -> dict[str, Curve]:
    """Scalars logged in a work directory, by name and step.

    Of a training that was resumed, later values replace earlier ones of the same step.

    Args:
        work_dir: folder of `hybrid-depth train`.

    Raises:
        FileNotFoundError: it has no logged scalars.
        DamagedFileError: a line of a log is no JSON object.
    """
    files = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    if not files:
        raise FileNotFoundError(
            f'expected the work directory of a training, got {work_dir}, which has no '
            '*/vis_data/scalars.json'
        )
    curves: dict[str, Curve] = {}
    for file in files:
        for number, line in enumerate(read_text(file).splitlines(), 1):
            try:
                entry = dict(json.loads(line))
                step = int(entry.pop('step'))
            except (KeyError, TypeError, ValueError, RecursionError) as error:
                raise DamagedFileError(
                    f'{file}, line {number}: expected a JSON object with a step, got {error!r}; '
                    'remove the line'
                ) from error
            for name, value in entry.items():
                if isinstance(value, int | float):
                    curves.setdefault(name, {})[step] = float(value)
    return curves


def read_report(run: str | Path) -> dict[str, float]:
    """Numbers of a test's report, nested ones as 'classes.car.AP'.

    Args:
        run: work directory of `hybrid-depth test`, or its ``metrics.json``.

    Raises:
        FileNotFoundError: there is none.
        DamagedFileError: it is no JSON object.
    """
    path = Path(run)
    path = path / 'metrics.json' if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(
            f'expected a metrics.json of hybrid-depth test, got {path}, which does not exist'
        )
    try:
        return dict(_numbers(json.loads(read_text(path)), ''))
    except (ValueError, RecursionError, AttributeError) as error:
        raise DamagedFileError(f'{path}: expected a JSON object, got {error!r}') from error


def _numbers(node: dict, prefix: str) -> list[tuple[str, float]]:
    found = []
    for key, value in node.items():
        if isinstance(value, dict):
            found += _numbers(value, f'{prefix}{key}.')
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append((prefix + key, float(value)))
    return found


def chosen(names: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Names that match one of some shell patterns, in the order of the patterns.

    Raises:
        FileNotFoundError: a pattern matches none.
    """
    found = []
    for pattern in patterns:
        matching = [name for name in names if fnmatch(name, pattern)]
        if not matching:
            raise FileNotFoundError(
                f'expected names among {", ".join(names)}, got {pattern!r}, which matches none'
            )
        found += [name for name in matching if name not in found]
    return found


def run_names(paths: Sequence[str | Path]) -> list[str]:
    """Different short names of runs: the shortest ends of their paths that differ.

    Example:
        >>> run_names(['work_dirs/a/metrics.json', 'work_dirs/b/metrics.json'])
        ['a/metrics', 'b/metrics']
    """
    parts = [Path(path).absolute().with_suffix('').parts[1:] for path in paths]
    for number in range(1, max(map(len, parts), default=1) + 1):
        names = ['/'.join(one[-number:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    return [f'{place} {one[-1]}' for place, one in enumerate(parts, 1)]
