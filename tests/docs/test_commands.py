"""The commands in pages and help texts have valid arguments."""

import argparse
import importlib
import re
import runpy
import shlex
from collections.abc import Iterator

import pytest

from hybrid_depth.cli import TOOLS, make_parser
from hybrid_depth.config_files import find_config
from hybrid_depth.engine.config import read_config
from tests.conftest import ROOT

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in [
        *(path for path in ROOT.glob('*.md') if path.stem != 'CHANGELOG'),
        *ROOT.glob('data/*.md'),
        *ROOT.glob('configs/**/*.md'),
        *ROOT.glob('docs/*.md'),  # the reference cites tools of others
        *ROOT.glob('projects/*/*.md'),
    ]
}
LAUNCHER = r'(?:\.venv/bin/)?(?:torchrun|srun) .*?-m hybrid_depth'
PROGRAM = rf'(?:\.venv/bin/)?hybrid-depth|{LAUNCHER}|(?:\.venv/bin/)?python -m hybrid_depth'
SCRIPT = r'(?:(?:\.venv/bin/)?python3? )?tools/(\w+)\.py'
#: A command: a line of a code block, or `code` in a line.
LINE = rf'^(?:Examples?:)?[ \t]*(?:{PROGRAM}|{SCRIPT})(?= |$)(.*)$'
INLINE = rf'`(?:{PROGRAM}|{SCRIPT})((?: [^`\n]*)?)`'
MAKE = r'^ *make ((?:[a-z]+[a-z-]*[a-z]+ ?)+)'
CODE = r'^```bash\n(.*?)^```|`(make .+?)`'
TARGETS = re.findall(r'^([a-z-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE)


def module(tool: str):
    return importlib.import_module(f'hybrid_depth.cli.{tool.replace("-", "_")}')


def commands(text: str, pattern: str) -> Iterator[list[str]]:
    """The tool, or the script of `tools/`, and the arguments of the commands in a text."""
    for script, rest in re.findall(pattern, text.replace('\\\n', ' '), re.MULTILINE):
        if not re.search(r'[ \[]\.\.\.| \[', rest):  # a synopsis
            words = shlex.split(rest, comments=True)
            script = script and script.replace('_', '-')
            yield [script, *words] if script else words


FOUND = [
    pytest.param(command, id=f'{name}-{i}-{" ".join(command[:1])}')
    for name, text in PAGES.items()
    for i, command in enumerate(commands(text, LINE))
] + [
    pytest.param(command, id=f'help-{i}-{command[0]}')
    for tool in TOOLS
    for i, command in enumerate(commands(module(tool).__doc__, LINE))
]
NAMED = [
    pytest.param(command, id=f'{name}-{i}-{" ".join(command[:1])}')
    for name, text in PAGES.items()
    for i, command in enumerate(commands(text, INLINE))
]


def parser_of(tool: str) -> argparse.ArgumentParser:
    if tool in TOOLS:
        parser = make_parser(tool)
        module(tool).add_arguments(parser)
        return parser
    assert tool == 'benchmark', f'{tool}: no such tool'
    return runpy.run_path(str(ROOT / 'tools/benchmark.py'))['make_parser']()


def check(command: list[str]) -> None:
    """Parses a command, and looks for its config and the epochs of that."""
    tool, *arguments = command
    if tool == 'bootstrap' and not arguments or tool.startswith('-'):
        return
    args = parser_of(tool).parse_args(arguments)
    config = getattr(args, 'config', None)
    if config and config.startswith(('configs/', 'toy/')):  # others are placeholders or the user's
        path = find_config(config)
        weights = re.search(r'epoch_(\d+)\.pth', str(getattr(args, 'checkpoint', None)))
        if weights:
            assert int(weights[1]) == read_config(path).train_cfg.max_epochs, 'not its last epoch'


def test_there_are_commands():
    assert len(FOUND) > 60 and len(NAMED) > 30
    assert {command.values[0][0] for command in FOUND} >= set(TOOLS)


@pytest.mark.parametrize('command', FOUND)
def test_command_is_valid(command):
    check(command)


@pytest.mark.parametrize('command', NAMED)
def test_command_in_a_sentence_is_valid(command):
    """Without arguments it is the tool that is meant."""
    if len(command) > 1:
        check(command)
    elif command:
        assert command[0] in {*TOOLS, 'benchmark', 'bootstrap', '--help'}


def test_targets_of_make_exist():
    code = '\n'.join(
        ''.join(part)
        for text in PAGES.values()
        for part in re.findall(CODE, text, re.MULTILINE | re.DOTALL)
    )
    named = {word for line in re.findall(MAKE, code, re.MULTILINE) for word in line.split()}
    assert len(named) > 10 and not named - set(TARGETS)


@pytest.mark.parametrize(
    'text',
    [
        '    hybrid-depth train',
        'hybrid-depth fly CONFIG',
        '.venv/bin/torchrun --nproc-per-node 8 -m hybrid_depth train configs/absent.py',
        '.venv/bin/python tools/benchmark.py fly',
        'hybrid-depth infer-bev INFOS \\\n    OUT --config C --checkpoint C --no-such-option',
        'hybrid-depth test toy/bevdet_plain_toy.py work_dirs/bevdet_plain_toy/epoch_2.pth',
    ],
)
def test_wrong_commands_are_found(text):
    (command,) = commands(text, LINE)
    with pytest.raises((SystemExit, AssertionError, FileNotFoundError)):
        check(command)
