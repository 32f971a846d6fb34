"""Small test sets that leave golden arrays unread, run by pytest."""

import json
import os
import shutil

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.golden import exceptions, reader, recipe

HEAD = """
import pytest
from tests.golden.reader import Golden

GOLDEN = Golden('letters')
"""
READS_A = HEAD + "\n\ndef test_a():\n    GOLDEN.check('a', [1, 2], 0)\n"
READS_B = HEAD + "\n\n{mark}\ndef test_b():\n    GOLDEN.check('b', [[3, 4]] * 5, 0)\n"


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs the tests of given modules on a folder with two arrays; (exit code, output)."""
    rules = json.dumps(dict(b=dict(shape=[5, 2], steps=[2, 1])))
    stats = np.array([3.5, 0.5, 4.0, 35.0])
    arrays = {'a': [1, 2], 'b': [[3, 4]] * 3, 'b|stats': stats, 'rules': rules}
    np.savez(pytester.path / 'letters.npz', **arrays)
    monkeypatch.setattr(recipe, 'FOLDER', pytester.path)
    monkeypatch.setattr(exceptions, 'EXCEPTIONS', {})
    monkeypatch.setattr(exceptions, 'NOT_IMPLEMENTED', {})
    pytester.makeini('[pytest]\ntestpaths = tests\nmarkers = slow')

    def call(*arguments: str, **modules: str) -> tuple[int, str]:
        monkeypatch.setattr(reader, 'READ', {})
        monkeypatch.setattr(reader, 'MARGINS', {})
        shutil.rmtree(pytester.path / 'tests', ignore_errors=True)
        (pytester.path / 'tests').mkdir()
        for name, text in modules.items():
            (pytester.path / 'tests' / f'{name}.py').write_text(text)
        plugins = ('-p', 'tests.golden.unread', '-p', 'no:cacheprovider')
        result = pytester.runpytest_inprocess(*plugins, *arguments)
        return result.ret, result.stdout.str()

    return call


def test_all_read(run):
    assert run(test_a=READS_A, test_b=READS_B.format(mark=''))[0] == 0


def test_unread_arrays_fail_the_run(run):
    code, text = run(test_a=READS_A)
    assert code == 1
    assert 'FAILED golden: letters: no test reads b, b|stats' in text


def test_statistics_are_arrays_too(run):
    stored_alone = READS_B.format(mark='').replace("check('b', [[3, 4]] * 5, 0)", "array('b')")
    code, text = run(test_a=READS_A, test_b=stored_alone)
    assert code == 1 and 'no test reads b|stats' in text


@pytest.mark.parametrize('mark', ["@pytest.mark.skip(reason='no data')", '@pytest.mark.slow'])
def test_files_of_skipped_and_deselected_tests_are_not_checked(run, mark):
    code, text = run('-m', 'not slow', test_a=READS_A, test_b=READS_B.format(mark=mark))
    assert code == 0 and 'golden: not checked, as tests were left out: letters' in text
    rest = f'\n\n{mark}\ndef test_c(): pass\n'
    code, text = run('-m', 'not slow', test_a=READS_A, test_b=READS_B.format(mark='') + rest)
    assert code == 0 and 'not checked' not in text


def test_runs_of_some_tests_are_not_checked(run):
    modules = dict(test_a=READS_A, test_b=READS_B.format(mark=''))
    for part in ('tests/test_a.py', 'tests/test_b.py::test_b'):
        code, text = run(part, **modules)
        assert code == 0 and 'golden' not in text
    assert run('.', **modules)[0] == 0


def test_exceptions(run, monkeypatch):
    table = dict(letters={'b*': 'not ours'})
    monkeypatch.setattr(exceptions, 'EXCEPTIONS', table)
    assert run(test_a=READS_A)[0] == 0
    code, text = run(test_a=READS_A, test_b=READS_B.format(mark=''))
    assert code == 1 and 'letters: b* is not an exception: all such keys are read' in text


def test_files_that_are_not_implemented(run, monkeypatch):
    monkeypatch.setattr(exceptions, 'NOT_IMPLEMENTED', {'let*': 'an alphabet'})
    code, text = run(test_c='def test_c(): pass')
    assert code == 0 and 'golden: letters not implemented: an alphabet' in text
    code, text = run(test_a=READS_A)
    assert code == 1 and 'letters is read: remove it from NOT_IMPLEMENTED' in text


def test_failed_runs_are_not_checked(run):
    code, text = run(test_a=READS_A, test_c='def test_c(): assert False')
    assert code == 1 and 'no test reads' not in text


def test_keys_read_by_workers_are_merged(run, pytester, monkeypatch):
    """pytest-xdist runs each test in one of two processes; the second file is not read."""
    np.savez(pytester.path / 'numbers.npz', one=1)
    (pytester.path / 'recipe.json').write_text('{"salt": ""}')
    monkeypatch.setenv('HYBRID_DEPTH_GOLDEN', str(pytester.path))
    monkeypatch.setenv('PYTHONPATH', str(ROOT), prepend=os.pathsep)
    monkeypatch.setattr(pytester, 'runpytest_inprocess', pytester.runpytest_subprocess)
    code, text = run('-n', '2', test_a=READS_A, test_b=READS_B.format(mark=''))
    assert code == 1 and 'FAILED golden: numbers: no test reads one' in text
    assert 'FAILED golden: letters' not in text


def test_margins(run):
    off = READS_A.replace('[1, 2], 0)', '[1, 2.1], 0.1)')
    assert 'golden:  0.50 of the limit: letters a' in run('--golden-margins', '0.4', test_a=off)[1]
