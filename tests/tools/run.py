"""Command lines in `tools/`, run in this process."""

import runpy
import sys
from pathlib import Path
from unittest import mock

from tests.conftest import ROOT


def run_tool(name: str, *arguments: object) -> str | int | None:
    """Run a tool as `python tools/NAME ARGUMENTS` would.

    Returns:
        None if it succeeds, else the text of its error.
    """
    path = Path(ROOT, 'tools', name)
    with mock.patch.object(sys, 'argv', [str(path), *map(str, arguments)]):
        try:
            runpy.run_path(str(path), run_name='__main__')
        except SystemExit as end:
            return end.code
    return None
