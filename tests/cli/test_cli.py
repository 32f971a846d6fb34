"""The command `hybrid-depth` and its scripts in `tools/`."""

import argparse
import importlib
import inspect
import os
import pkgutil
import subprocess
import sys

import pytest
from mmengine.config import DictAction

import hybrid_depth
from hybrid_depth import cli
from hybrid_depth.cli import convert_checkpoint, infer_depth, make_pseudo_depth
from hybrid_depth.cli.runner_arguments import add_runner_arguments
from hybrid_depth.errors import HybridDepthError
from hybrid_depth.inference.depth_writer import FORMATS
from hybrid_depth.pseudo_depth.model import SCALES
from hybrid_depth.releases.convert import CONVERTERS
from tests.conftest import ROOT
from tests.tools.run import run_tool


def test_every_tool_is_a_subcommand_and_a_script():
    shared = {'__init__', 'number_types', 'runner_arguments'}
    modules = {module.name for module in pkgutil.iter_modules(cli.__path__)} - shared
    assert {tool.replace('-', '_') for tool in cli.TOOLS} == modules
    only_here = {'benchmark', 'bootstrap'}  # measurement and set-up of the repository
    assert {path.stem for path in (ROOT / 'tools').glob('*.py')} == modules | only_here
    for tool in cli.TOOLS:
        text = (ROOT / 'tools' / f'{tool.replace("-", "_")}.py').read_text()
        assert text.endswith(f"\nif __name__ == '__main__':\n    main('{tool}')\n")


def test_choices_equal_those_of_the_modules():
    """They are written twice, as the modules take seconds to import."""
    assert convert_checkpoint.KINDS == tuple(CONVERTERS)
    assert infer_depth.FORMATS == FORMATS
    assert make_pseudo_depth.SCALES == SCALES


def test_subcommand_and_script_are_equivalent(monkeypatch, capsys, tmp_path):
    arguments = ['check', str(tmp_path)]
    monkeypatch.setattr(sys, 'argv', ['hybrid-depth', 'prepare-kitti', *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code.startswith('error: ') and str(tmp_path) in end.value.code
    assert run_tool('prepare_kitti.py', *arguments) == end.value.code


@pytest.mark.parametrize('arguments', [[], ['fly'], ['train'], ['train', '--no-such-option']])
def test_mistakes_show_the_usage(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['hybrid-depth', *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert 'usage: hybrid-depth' in capsys.readouterr().err


def test_a_reader_that_stops_early():
    """`hybrid-depth zoo list | head -0`."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, '-m', 'hybrid_depth', 'zoo', 'list']
    ended = subprocess.run(command, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (ended.stderr, ended.returncode) == (b'', 141)


def test_another_broken_pipe_is_an_error(capfd):
    def fail():
        raise BrokenPipeError(32, 'Broken pipe')

    with pytest.raises(SystemExit, match='error: .*Broken pipe'):
        cli.run(fail)


def test_help_lists_every_tool(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['hybrid-depth', '--help'])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    output = capsys.readouterr().out
    assert all(f'\n  {tool} ' in output for tool in cli.TOOLS)


def test_options_are_read_as_mmengine_reads_them():
    given = ['--cfg-options', 'a.b=[1,2]', 'c=x', 'd=(1.5,None)', 'e=True']
    ours, theirs = argparse.ArgumentParser(), argparse.ArgumentParser()
    add_runner_arguments(ours)
    theirs.add_argument('--cfg-options', nargs='+', action=DictAction)
    parsed = ours.parse_args(given).cfg_options
    assert parsed == theirs.parse_args(given).cfg_options
    assert parsed['a.b'] == [1, 2]


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize('kind', [HybridDepthError, FileNotFoundError, FloatingPointError])
def test_user_errors_are_printed_as_text(kind):
    with pytest.raises(SystemExit, match='^error: what to do$'):
        cli.run(_raise, kind('what to do'))


def test_other_errors_keep_their_traceback():
    with pytest.raises(ValueError, match='a mistake of ours'):
        cli.run(_raise, ValueError('a mistake of ours'))


def test_all_errors_have_one_base_class():
    classes = set()
    for module in pkgutil.walk_packages(hybrid_depth.__path__, 'hybrid_depth.'):
        if not module.name.startswith(('hybrid_depth.configs', 'hybrid_depth.__main__')):
            members = vars(importlib.import_module(module.name)).values()
            classes |= {m for m in members if inspect.isclass(m) and issubclass(m, Exception)}
    classes = {kind for kind in classes if kind.__module__.startswith('hybrid_depth.')}
    assert len(classes) >= 10
    assert {kind for kind in classes if not issubclass(kind, HybridDepthError)} == set()
