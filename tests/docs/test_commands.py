"""The commands in READMEs and help texts have valid arguments."""

import importlib
import re
import shlex

import pytest

from hybrid_depth.cli import TOOLS, make_parser
from hybrid_depth.config_files import find_config
from tests.conftest import ROOT

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in [
        *ROOT.glob('*.md'),
        *ROOT.glob('data/*.md'),
        *ROOT.glob('configs/**/*.md'),
        ROOT / 'docs/extend.md',
        ROOT / 'docs/own_vehicle.md',
    ]
}


def module(tool: str):
    return importlib.import_module(f'hybrid_depth.cli.{tool.replace("-", "_")}')


def commands(text: str, start: str) -> list[list[str]]:
    """Arguments of the commands in a text, at the start of a line or after 'Example:'."""
    text = text.replace('\\\n', ' ')
    lines = re.findall(rf'^(?:Examples?:)?\s*{re.escape(start)} (.+)$', text, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


FOUND = [
    pytest.param(command, id=f'{name}-{i}-{command[0]}')
    for name, text in PAGES.items()
    for i, command in enumerate(commands(text, '.venv/bin/hybrid-depth'))
] + [
    pytest.param(command, id=f'help-{i}-{command[0]}')
    for tool in TOOLS
    for i, command in enumerate(commands(module(tool).__doc__, 'hybrid-depth'))
]


def test_there_are_commands():
    assert len(FOUND) > 25
    assert {command.values[0][0] for command in FOUND} >= set(TOOLS)


@pytest.mark.parametrize('command', FOUND)
def test_command_is_valid(command):
    tool, *arguments = command
    parser = make_parser(tool)
    module(tool).add_arguments(parser)
    config = getattr(parser.parse_args(arguments), 'config', None)
    made_before = config is not None and config.startswith('work_dirs/')
    if config is not None and not config.isupper() and not made_before:  # CONFIG: a placeholder
        find_config(config)
