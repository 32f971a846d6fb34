"""Freed memory that stays in the process: page faults are counted in processes of their own."""

import os
import subprocess
import sys

import pytest

from hybrid_depth import cli, kept_memory

SCRIPT = """
import resource
import numpy as np
from hybrid_depth.kept_memory import keep_freed_memory

print(keep_freed_memory())
np.ones(1 << 23)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(1 << 23)  # 64 MiB, above what glibc keeps by itself
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
glibc = pytest.mark.skipif(
    kept_memory.platform.libc_ver()[0] != 'glibc', reason='this system has another libc'
)


def run(**env: str) -> list[str]:
    """Whether memory is kept, and the page faults of ten arrays after the first."""
    return subprocess.check_output(
        [sys.executable, '-c', SCRIPT], env=os.environ | env, text=True
    ).split()


@glibc
def test_memory_is_used_again_without_page_faults():
    kept, faults = run()
    assert kept == 'True' and int(faults) < 100  # 163,840 pages of 4 KiB otherwise


@glibc
@pytest.mark.parametrize('name', kept_memory.SETTINGS)
def test_the_setting_of_the_user_stays(name):
    assert run(**{name: '100000'})[0] == 'False'


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(kept_memory.platform, 'libc_ver', lambda: ('', ''))
    monkeypatch.setattr(kept_memory.ctypes, 'CDLL', None)
    assert not kept_memory.keep_freed_memory()


def test_command_lines_keep_memory(monkeypatch):
    calls = []
    monkeypatch.setattr(cli, 'keep_freed_memory', lambda: calls.append('memory'))
    cli.run(calls.append, 'tool')
    assert calls == ['memory', 'tool']
