#!/usr/bin/env python3
"""Create or update .venv for the other commands; does nothing if it is up to date.

uv installs the packages of the lock file, or pip as a fallback. Only needs Python 3.8.

Environment:
    PYTHON                    interpreter of .venv (default: the newest supported one found)
    PIP_INDEX_URL, PIP_CERT   mirror of PyPI and its certificates, also for uv
    HYBRID_DEPTH_MIN_FREE_GB  free disk space required for an installation (default 7)
"""

import contextlib
import hashlib
import os
import shutil
import sqlite3
import subprocess
import time
from argparse import ArgumentParser, RawTextHelpFormatter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / 'requirements'
LOCKS = {'newest': REQUIREMENTS / 'lock.txt', 'oldest': REQUIREMENTS / 'lock-oldest.txt'}
SUPPORTED = ('3.13', '3.12', '3.11', '3.10')  # in order of preference
FACTS = 'import sys; print("%d.%d" % sys.version_info[:2], flush=True); import ensurepip, venv'
CHECK = 'import sys, hybrid_depth.modules, hybrid_depth.optional as o; sys.exit(o.bev_problem())'
VENV_PYTHON = 'Scripts/python.exe' if os.name == 'nt' else 'bin/python'
UV_NAMES = {'PIP_INDEX_URL': 'UV_DEFAULT_INDEX', 'PIP_CERT': 'SSL_CERT_FILE'}
HEARTBEAT_SECONDS = 30


class SetupError(SystemExit):
    """Problem for the user to solve; only its text is printed."""


@contextlib.contextmanager
def locked(path):
    """Hold a lock that is released with its process on all platforms: SQLite's database lock."""
    with contextlib.closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as lock:
        try:
            lock.execute('BEGIN EXCLUSIVE')
        except sqlite3.OperationalError:
            print(f'Another set-up holds {path}; waiting for it.', flush=True)
            lock.execute('PRAGMA busy_timeout = 3600000')
            lock.execute('BEGIN EXCLUSIVE')
        yield


def run(title, command, log, **env):
    """Run a command with output to a log file; raises SetupError with its last lines."""
    start, env = time.monotonic(), {**os.environ, **env}
    print(f'{title} ...', end='', flush=True)
    with open(log, 'a') as file:
        print('\n$', *command, file=file, flush=True)
        process = subprocess.Popen(command, stdout=file, stderr=file, env=env)
        while process.returncode is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(HEARTBEAT_SECONDS)
            print(f' {time.monotonic() - start:.0f} s', end='', flush=True)
    print(', failed' if process.returncode else '')
    if process.returncode:
        tail = '\n  '.join(log.read_text(errors='replace').splitlines()[-12:])
        raise SetupError(f'{title}: exit code {process.returncode}, end of {log}:\n  {tail}')


def find_python():
    """Name and version of the interpreter to use; raises SetupError if none is suitable."""
    requested, found = os.environ.get('PYTHON'), []
    for name in (
        [requested] if requested else [f'python{v}' for v in SUPPORTED] + ['python3', 'python']
    ):
        with contextlib.suppress(OSError):
            done = subprocess.run([name, '-c', FACTS], capture_output=True, text=True)
            version, works = done.stdout.strip(), done.returncode == 0
            if works and version in SUPPORTED:
                return name, version
            if version:
                found.append(f'{name} is {version}' + ('' if works else ' without venv'))
    raise SetupError(
        f'Expected Python 3.10 to 3.13 with its venv module, found: {", ".join(found) or "none"}. '
        'Install one (Debian: apt install python3-venv), or set one: PYTHON=/path/to/python3.13'
    )


def expected_stamp(version, lock):
    """Hash of a virtual environment's inputs: Python, lock, requirements and this script."""
    files = [*sorted(REQUIREMENTS.glob('*.txt')), ROOT / 'pyproject.toml', Path(__file__)]
    digest = hashlib.sha256(b''.join(map(Path.read_bytes, files)))
    return f'{version} {lock.name} {digest.hexdigest()}'


def install(title, python, log, *arguments):
    """Install with uv, or with pip if uv is absent or fails; neither resolves dependencies."""
    env = {uv_name: os.environ[name] for name, uv_name in UV_NAMES.items() if os.environ.get(name)}
    env['UV_COMPILE_BYTECODE'] = '1'  # as pip does: tools start seconds faster
    arguments = ['install', '--no-deps', *arguments]
    try:
        run(title, [python, '-m', 'uv', 'pip', *arguments, '--python', python], log, **env)
    except SetupError:
        run('      uv failed; with pip', [python, '-m', 'pip', *arguments], log)


def set_up(venv, lock):
    """All steps of the set-up; none if the stamp in the virtual environment is current."""
    python, stamp, log = venv / VENV_PYTHON, venv / 'bootstrap.stamp', Path(f'{venv}.log')
    made_with = stamp.read_text().split()[0] if stamp.exists() and python.exists() else None
    keep = made_with in SUPPORTED and not os.environ.get('PYTHON')
    name, version = (python, made_with) if keep else find_python()
    if made_with == version and stamp.read_text() == expected_stamp(version, lock):
        return
    start, needed = time.monotonic(), float(os.environ.get('HYBRID_DEPTH_MIN_FREE_GB', 7))
    free = shutil.disk_usage(venv.parent).free / 1e9
    if free < needed:
        raise SetupError(
            f'Too little disk space: {free:.1f} GB free for {venv}, {needed:g} GB needed.'
        )
    print(f'{venv}: Python {version} ({name}), 7 GB of disk, a few minutes; log: {log}')
    if made_with != version:
        run('[1/5] virtual environment', [name, '-m', 'venv', '--clear', venv], log)
    pip = [python, '-m', 'pip', '--retries', '1', '--timeout', '10', 'install']
    for package in 'uv', 'addict':  # an index may lack uv; pip is the fallback
        with contextlib.suppress(SetupError):
            run(f'[2/5] {package}', [*pip, package], log)
            break
    else:
        raise SetupError(
            f'No network: pip cannot fetch packages from {os.environ.get("PIP_INDEX_URL", "PyPI")} '
            f'(see {log}). Connect this machine, or set a mirror in PIP_INDEX_URL.'
        )
    stamp.unlink(missing_ok=True)
    packages = ['-r', lock, '-r', REQUIREMENTS / 'no_deps.txt']
    install('[3/5] packages', python, log, *packages)
    install('[4/5] this project', python, log, '--no-build-isolation', '--editable', ROOT)
    run('[5/5] check of imports', [python, '-c', CHECK], log)
    stamp.write_text(expected_stamp(version, lock))
    print(f'Set-up done in {time.monotonic() - start:.0f} s.')


def main():
    parser = ArgumentParser(description=__doc__, formatter_class=RawTextHelpFormatter)
    parser.add_argument('--matrix', choices=LOCKS, help='create .matrix/NAME from its lock instead')
    matrix = parser.parse_args().matrix
    venv = ROOT / '.matrix' / matrix if matrix else ROOT / '.venv'
    venv.parent.mkdir(exist_ok=True)
    with locked(f'{venv}.lock'):
        set_up(venv, LOCKS[matrix or 'newest'])


if __name__ == '__main__':
    main()
