"""pytest plugin: a run fails if a golden array was not read by any test.

Runs that collect all tests are checked. Files of deselected or skipped tests (`Golden` in a
constant of the module) may be unread; they are listed.
"""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.golden import exceptions, reader, recipe
from tests.golden.reader import Golden


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        '--golden-margins',
        type=float,
        metavar='SHARE',
        help='list the golden comparisons whose error is at least this share of its limit',
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(UnreadArrays(config), 'golden-unread')


class UnreadArrays:
    """Arrays read by the tests of a run, and files of omitted tests."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.complete = _collects_all(config)
        self.left_out: set[str] = set()
        self.read: dict[str, set[str]] = {}
        self.failures: list[str] = []
        self.notes: list[str] = []

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        for item in items:
            self._leave_out(item)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.complete &= report.passed

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item):
        report = yield
        if report.skipped:
            self._leave_out(item)
        return report

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node) -> None:
        """Merge the keys read by a worker of pytest-xdist."""
        self._add(**node.workeroutput['golden'])

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        read = {name: sorted(keys) for name, keys in reader.READ.items()}
        if hasattr(self.config, 'workeroutput'):
            self.config.workeroutput['golden'] = dict(
                read=read, left_out=sorted(self.left_out), complete=self.complete
            )
            return
        self._add(read, self.left_out, self.complete)
        if self.complete and exitstatus == pytest.ExitCode.OK:
            self._compare()
            if self.failures:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter) -> None:
        for line in self.notes:
            terminalreporter.write_line(f'golden: {line}')
        for line in self.failures:
            terminalreporter.write_line(f'FAILED golden: {line}', red=True)
        share = self.config.getoption('--golden-margins')
        for (name, key), margin in sorted(reader.MARGINS.items()):
            if share is not None and margin >= share:
                terminalreporter.write_line(f'golden: {margin:5.2f} of the limit: {name} {key}')

    def _leave_out(self, item: pytest.Item) -> None:
        module = item.getparent(pytest.Module)
        self.left_out.update(_held(module.obj) if module else ())

    def _add(self, read: dict[str, Iterable[str]], left_out: Iterable[str], complete: bool) -> None:
        for name, keys in read.items():
            self.read.setdefault(name, set()).update(keys)
        self.left_out.update(left_out)
        self.complete &= complete

    def _compare(self) -> None:
        unknown = []
        for path in sorted(recipe.FOLDER.glob('*.npz')):
            name, read = path.stem, self.read.get(path.stem, set())
            missing = [p for p in exceptions.NOT_IMPLEMENTED if fnmatchcase(name, p)]
            if missing and not read:
                reason = exceptions.NOT_IMPLEMENTED[missing[0]]
                self.notes.append(f'{name} not implemented: {reason}')
            elif missing:
                self.failures.append(f'{name} is read: remove it from NOT_IMPLEMENTED')
            else:
                problems = self._compare_file(name, set(np.load(path).files) - read)
                if problems and name in self.left_out:
                    unknown.append(name)
                else:
                    self.failures += problems
        if unknown:
            self.notes.append(f'not checked, as tests were left out: {", ".join(unknown)}')

    def _compare_file(self, name: str, unread: set[str]) -> list[str]:
        problems = []
        for pattern in exceptions.EXCEPTIONS.get(name, ()):
            excepted = {key for key in unread if fnmatchcase(key, pattern)}
            unread = unread - excepted
            if not excepted:
                problems.append(f'{name}: {pattern} is not an exception: all such keys are read')
        if unread:
            problems.append(f'{name}: no test reads {", ".join(sorted(unread))}')
        return problems


def _collects_all(config: pytest.Config) -> bool:
    """Whether the arguments include every test path, without options that exclude tests."""
    given = [(config.invocation_params.dir / arg.split('::')[0]).resolve() for arg in config.args]
    paths = [(config.rootpath / path).resolve() for path in config.getini('testpaths')]
    inside = all(any(Path(path).is_relative_to(arg) for arg in given) for path in paths)
    return bool(paths) and inside and not config.getoption('lf', False)


def _held(module: ModuleType) -> Iterator[str]:
    """Names of the golden files in constants of a module, also those in dicts."""
    for value in vars(module).values():
        for one in value.values() if isinstance(value, dict) else [value]:
            if isinstance(one, Golden):
                yield one.name
