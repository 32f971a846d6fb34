"""tools/bootstrap.py on a bare machine: missing requirements are reported in one sentence.

The installation itself is tested by `make test`, which runs it first.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT

PYTHON_VERSION = f'{sys.version_info.major}.{sys.version_info.minor}'
SUPPORTED = ('3.10', '3.11', '3.12', '3.13')
RANGES = ('runtime', 'bev', 'tests')


@pytest.fixture
def clone(tmp_path) -> Path:
    """The files read by the set-up, in a folder without .venv."""
    folder = tmp_path / 'clone'
    shutil.copytree(ROOT / 'requirements', folder / 'requirements')
    (folder / 'tools').mkdir()
    shutil.copy(ROOT / 'tools' / 'bootstrap.py', folder / 'tools')
    shutil.copy(ROOT / 'pyproject.toml', folder)
    return folder


@pytest.fixture
def bootstrap(clone) -> ModuleType:
    """The script of the clone as a module."""
    spec = importlib.util.spec_from_file_location('bootstrap', clone / 'tools' / 'bootstrap.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def set_up(clone: Path, **environment: str) -> subprocess.CompletedProcess:
    env = {**os.environ, 'PYTHON': sys.executable, **environment}
    return subprocess.run(
        [sys.executable, clone / 'tools' / 'bootstrap.py'], env=env, capture_output=True, text=True
    )


def assert_refused(done: subprocess.CompletedProcess, sentence: str) -> None:
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.count('\n') == 1, f'expected one line, got {done.stderr}'


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text('#!/bin/sh\n' + text)
    path.chmod(0o755)
    return path


def finished_venv(clone: Path, stamp: str) -> Path:
    """Result of a set-up, as checked by the next one."""
    venv = clone / '.venv'
    (venv / 'bin').mkdir(parents=True, exist_ok=True)
    (venv / 'bin' / 'python').symlink_to(sys.executable)
    (venv / 'bootstrap.stamp').write_text(stamp)
    return venv


def test_wrong_python(clone, tmp_path):
    old = executable(tmp_path / 'bin' / 'python', 'echo 3.9\n')
    assert_refused(set_up(clone, PYTHON=str(old)), f'found: {old} is 3.9. Install one')
    assert_refused(set_up(clone, PYTHON='/nowhere/python'), 'found: none. Install one')
    executable(old, 'echo 3.11; exit 1\n')
    assert_refused(set_up(clone, PYTHON=str(old)), f'{old} is 3.11 without venv')
    assert not (clone / '.venv').exists()


def test_newest_supported_python_with_venv_is_used(clone, tmp_path):
    commands = tmp_path / 'bin'
    executable(commands / 'python3.14', 'echo 3.14\n')
    executable(commands / 'python3.13', 'echo 3.13; exit 1\n')
    executable(commands / 'python3.12', 'echo 3.12\n')
    executable(commands / 'python3.11', 'echo 3.11\n')
    done = set_up(clone, PYTHON='', PATH=f'{commands}:/usr/bin:/bin')
    assert 'Python 3.12 (python3.12)' in done.stdout


def test_too_little_disk(clone):
    assert_refused(set_up(clone, HYBRID_DEPTH_MIN_FREE_GB='1e9'), 'Too little disk space:')
    assert not (clone / '.venv').exists()


def test_no_network_is_one_sentence_and_keeps_the_old_venv(clone):
    """`git pull` without a network left an empty .venv."""
    offline = dict(
        PIP_INDEX_URL='http://127.0.0.1:9/simple', PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS=''
    )
    sentence = 'No network: pip cannot fetch packages from http://127.0.0.1:9/simple'
    assert_refused(set_up(clone, **offline), sentence)
    stamp = clone / '.venv' / 'bootstrap.stamp'
    assert not stamp.exists()
    (clone / '.venv' / 'package').touch()
    stamp.write_text(f'{PYTHON_VERSION} lock.txt of-yesterday')
    start = time.monotonic()
    assert_refused(set_up(clone, **offline), sentence)
    assert stamp.exists() and (clone / '.venv' / 'package').exists()
    assert time.monotonic() - start < 60


def test_set_up_with_a_valid_stamp_does_nothing(bootstrap, clone):
    wanted = bootstrap.expected_stamp(PYTHON_VERSION, bootstrap.LOCKS['newest'])
    venv = finished_venv(clone, wanted)
    done = set_up(clone, HYBRID_DEPTH_MIN_FREE_GB='1e9')
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
    assert set_up(clone, PYTHON='', HYBRID_DEPTH_MIN_FREE_GB='1e9').returncode == 0
    other = executable(clone / 'bin' / 'python', 'echo 3.10; exit 0\n')  # PYTHON is another version
    if PYTHON_VERSION != '3.10':
        assert (
            'Too little' in set_up(clone, PYTHON=str(other), HYBRID_DEPTH_MIN_FREE_GB='1e9').stderr
        )
    (venv / 'bin' / 'python').unlink()  # without its interpreter
    assert 'Too little' in set_up(clone, HYBRID_DEPTH_MIN_FREE_GB='1e9').stderr


@pytest.mark.parametrize('file', ['requirements/lock.txt', 'pyproject.toml', 'tools/bootstrap.py'])
def test_stamp_depends_on_the_files(bootstrap, clone, file):
    finished_venv(clone, bootstrap.expected_stamp(PYTHON_VERSION, bootstrap.LOCKS['newest']))
    with open(clone / file, 'a') as opened:
        opened.write('# changed\n')
    assert_refused(set_up(clone, HYBRID_DEPTH_MIN_FREE_GB='1e9'), 'Too little disk space:')


def test_refresh_installs_the_lock_in_place_and_then_stamps(bootstrap, clone):
    venv = finished_venv(clone, f'{PYTHON_VERSION} lock.txt of-yesterday')
    (venv / 'bin' / 'python').unlink()
    calls = clone / 'calls'
    python = executable(venv / 'bin' / 'python', f'echo "$@" >> {calls}\n')
    done = set_up(clone, PYTHON='')
    assert done.returncode == 0, done.stderr
    assert 'Set-up done' in done.stdout
    index, packages, project, check = calls.read_text().splitlines()
    assert index.endswith('install uv')
    files = [clone / 'requirements' / name for name in ('lock.txt', 'no_deps.txt')]
    install = '-m uv pip install --no-deps'
    assert packages == f'{install} -r {files[0]} -r {files[1]} --python {python}'
    assert project == f'{install} --no-build-isolation --editable {clone} --python {python}'
    assert 'bev_problem' in check
    wanted = bootstrap.expected_stamp(PYTHON_VERSION, bootstrap.LOCKS['newest'])
    assert (venv / 'bootstrap.stamp').read_text() == wanted


def test_failed_installation_leaves_no_stamp(clone):
    """With a stamp, the next set-up would use incomplete packages."""
    venv = finished_venv(clone, f'{PYTHON_VERSION} lock.txt of-yesterday')
    (venv / 'bin' / 'python').unlink()
    executable(venv / 'bin' / 'python', 'case "$*" in *no-deps*) echo disk full; exit 9; esac\n')
    done = set_up(clone, PYTHON='')
    assert done.returncode == 1
    assert 'exit code 9' in done.stderr and done.stderr.rstrip().endswith('disk full')
    assert not (venv / 'bootstrap.stamp').exists()


def test_pip_is_the_fallback_of_uv(bootstrap, tmp_path, monkeypatch, capsys):
    calls = tmp_path / 'calls'
    python = executable(
        tmp_path / 'bin' / 'python', f'echo "$UV_DEFAULT_INDEX $@" >> {calls}; [ $2 = pip ]\n'
    )
    monkeypatch.setenv('PIP_INDEX_URL', 'http://mirror/simple')
    bootstrap.install('packages', python, tmp_path / 'log', '-r', tmp_path / 'lock.txt')
    packages = f'install --no-deps -r {tmp_path}/lock.txt'
    assert calls.read_text().splitlines() == [
        f'http://mirror/simple -m uv pip {packages} --python {python}',
        f' -m pip {packages}',
    ]
    assert 'uv failed; with pip' in capsys.readouterr().out


def test_failed_command_shows_the_end_of_the_log(bootstrap, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, 'HEARTBEAT_SECONDS', 0.2)
    with pytest.raises(bootstrap.SetupError, match='(?s)step: exit code 3.*the reason'):
        bootstrap.run(
            'step', ['sh', '-c', 'sleep 0.5; echo the reason >&2; exit 3'], tmp_path / 'log'
        )
    assert re.fullmatch(r'step \.\.\.( \d+ s){2,}, failed\n', capsys.readouterr().out)


def test_set_up_waits_for_a_running_one_and_not_for_a_dead_one(bootstrap, tmp_path):
    lock = str(tmp_path / 'lock')
    code = (
        f'import sys, time; sys.path.insert(0, {str(Path(bootstrap.__file__).parent)!r})\n'
        'import bootstrap\n'
        f'with bootstrap.locked({lock!r}):\n'
        '    print("in", flush=True)\n'
        '    time.sleep(float(sys.argv[1]))\n'
    )

    def other(seconds: int) -> subprocess.Popen:
        command = [sys.executable, '-c', code, str(seconds)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    with bootstrap.locked(lock):
        waiting = other(0)
        assert 'waiting' in waiting.stdout.readline()
    assert waiting.communicate(timeout=30)[0] == 'in\n'
    killed = other(600)
    assert killed.stdout.readline() == 'in\n'
    killed.kill()
    killed.wait()
    killed.stdout.close()
    with bootstrap.locked(lock):
        pass
    assert not Path(lock + '-journal').exists()


def requirements(name: str) -> list[tuple[Requirement, str]]:
    """(requirement, comment) of each line of a file in requirements/."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    parts = [line.partition('  # ') for line in lines if not line.startswith('#')]
    return [(Requirement(part[0]), part[2]) for part in parts]


@pytest.mark.parametrize('name', [*RANGES, 'no_deps', 'optional'])
def test_every_requirement_is_a_range_with_a_reason(name):
    for requirement, reason in requirements(name):
        assert len(reason) > 10, f'{name}: {requirement} has no reason'
        exact = '==' in str(requirement.specifier)
        assert exact == (name == 'no_deps'), f'{name}: {requirement}'
        assert requirement.specifier, f'{name}: {requirement} has no lower bound'


@pytest.mark.parametrize('lock', ['lock', 'lock-oldest'])
@pytest.mark.parametrize('python', SUPPORTED)
def test_locks_pin_every_requirement_for_every_python(lock, python):
    pins = {}
    for requirement, _ in requirements(lock):
        (specifier,) = requirement.specifier
        assert specifier.operator == '==', requirement
        applies = dict(python_version=python, python_full_version=f'{python}.5')
        if requirement.marker is None or requirement.marker.evaluate(applies):
            assert requirement.name not in pins, f'{requirement.name} twice'
            pins[requirement.name] = specifier.version
    for name in RANGES:
        for requirement, _ in requirements(name):
            pin = pins[requirement.name.replace('_', '-')]
            assert requirement.specifier.contains(pin), f'{requirement} against {pin}'
            if lock == 'lock-oldest':
                lowest = min((s for s in requirement.specifier if s.operator == '>='), key=str)
                assert pin.startswith(lowest.version), f'{requirement} against {pin}'
    assert [name for name in pins if 'opencv' in name] == ['opencv-python-headless']
    assert not {'mmcv', 'mmengine', 'opencv-python'} & {*pins}


def test_install_commands_of_the_docs_equal_no_deps_txt():
    page = (ROOT / 'docs/install.md').read_text()
    command = ' '.join(str(requirement) for requirement, _ in requirements('no_deps'))
    assert f'`pip install --no-deps {command}`' in page


def test_pre_commit_runs_the_locked_ruff():
    (pin,) = [str(line) for line, _ in requirements('lock') if line.name == 'ruff']
    config = (ROOT / '.pre-commit-config.yaml').read_text()
    assert f'rev: v{pin.removeprefix("ruff==")}\n' in config
