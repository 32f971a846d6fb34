#!/usr/bin/env python3
"""Make or refresh .venv so that the other commands run; nothing is done when it is already right.

Standard library only, and any Python 3.8 or newer, as it runs before anything is installed.
Example: python3 tools/bootstrap.py (make demo, make test and make lint call it).

Environment:
    PYTHON                    interpreter to build .venv with (default: python3.11, else 3.12, 3.10)
    HYBRID_DEPTH_MIN_FREE_GB  free disk asked for before a first install (default 12)
"""

import argparse
import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = [ROOT / 'requirements' / f'{name}.txt' for name in ('runtime', 'bev', 'tests')]
SUPPORTED = ('3.11', '3.12', '3.10')  # in the order of preference
# setuptools: mmcv's build imports pkg_resources, which setuptools 81 no longer has.
BUILD_TOOLS = ['pip>=24', 'setuptools>=77,<81', 'wheel', 'ninja', 'packaging']
FIRST_INSTALL_GB, REFRESH_GB = 12, 3
HEARTBEAT_SECONDS = 30
STEPS = 6


class SetupError(Exception):
    """Something the user has to change; its text is all that is shown."""


def say(line):
    print(line, flush=True)


def duration(seconds):
    minutes, seconds = divmod(int(round(seconds)), 60)
    return f'{minutes} min {seconds} s' if minutes else f'{seconds} s'


@contextlib.contextmanager
def step(number, title):
    """Print a step when it starts, and the time it took when it ends."""
    say(f'[{number}/{STEPS}] {title} ...')
    start = time.monotonic()
    yield
    say(f'[{number}/{STEPS}] {title}: {duration(time.monotonic() - start)}')


@contextlib.contextmanager
def locked(path):
    """Hold a lock file, so that two set-ups do not write into one folder at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'w') as file:
        os.set_inheritable(file.fileno(), True)  # held by a build that outlives a killed set-up
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f'Another set-up holds {path}; waiting for it.')
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(command, log, env=None, progress=None):
    """Run a command with its output in a log file and a heart-beat line every half minute.

    Args:
        command: the argument list.
        log: path of the log file, appended to.
        env: variables added to the environment.
        progress: function from an output line to a short status, or None for 'no news'.
    """
    status = ['']
    start = time.monotonic()
    with open(log, 'a') as file:
        file.write('\n$ ' + ' '.join(map(str, command)) + '\n')
        process = subprocess.Popen(
            list(map(str, command)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            errors='replace',
            close_fds=False,
            env=dict(os.environ, **(env or {})),
        )

        def follow():
            for line in process.stdout:
                file.write(line)
                file.flush()
                status[0] = (progress and progress(line)) or status[0]

        reader = threading.Thread(target=follow)
        reader.start()
        while reader.is_alive():
            reader.join(HEARTBEAT_SECONDS)
            if reader.is_alive():
                elapsed = duration(time.monotonic() - start)
                say(f'      still working: {elapsed}' + (f', {status[0]}' if status[0] else ''))
    if process.wait() != 0:
        tail = Path(log).read_text(errors='replace').splitlines()[-15:]
        raise SetupError(
            f'"{" ".join(map(str, command[:6]))} ..." failed (exit {process.returncode}). '
            f'Last lines of {log}:\n  ' + '\n  '.join(tail)
        )


def python_facts(python):
    """Version, header folder and missing modules of an interpreter; None where it does not run."""
    code = (
        'import sys, sysconfig, importlib.util as u; print("%d.%d" % sys.version_info[:2]); '
        'print(sysconfig.get_path("include")); '
        'print(" ".join(m for m in ("venv", "ensurepip") if u.find_spec(m) is None))'
    )
    try:
        done = subprocess.run([python, '-c', code], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    version, include, missing = done.stdout.split('\n')[:3]
    return dict(python=python, version=version, include=include, missing=missing.split())


def find_python():
    """The interpreter to build .venv with; raises SetupError when there is none that fits."""
    asked = os.environ.get('PYTHON')
    names = [asked] if asked else [f'python{v}' for v in SUPPORTED] + ['python3', sys.executable]
    found = [facts for facts in map(python_facts, names) if facts]
    for facts in found:
        if facts['version'] not in SUPPORTED:
            continue
        if facts['missing']:
            raise SetupError(
                f'Python {facts["version"]} ({facts["python"]}) lacks its module '
                f'{facts["missing"][0]} (Debian: apt install python{facts["version"]}-venv).'
            )
        if not Path(facts['include'], 'Python.h').exists():
            raise SetupError(
                f'Python {facts["version"]} ({facts["python"]}) lacks its C headers, which the '
                f'build of mmcv needs (Debian: apt install python{facts["version"]}-dev).'
            )
        return facts
    seen = ', '.join(sorted({f'{f["python"]} is {f["version"]}' for f in found})) or 'none'
    raise SetupError(
        f'Python 3.11 is needed (3.10 and 3.12 work too), found: {seen}. Install python3.11 with '
        'its venv module, or name one: PYTHON=/path/to/python3.11 make test'
    )


def check_compiler():
    """Compile one empty C++17 program; raises SetupError when that fails."""
    compiler = os.environ.get('CXX', 'g++')
    advice = 'Install one (Debian: apt install g++) or name it in CXX; mmcv is built here.'
    if shutil.which(compiler) is None:
        raise SetupError(f'No C++ compiler: {compiler} is not on the PATH. {advice}')
    command = [compiler, '-std=c++17', '-x', 'c++', '-fsyntax-only', '-']
    done = subprocess.run(command, input='int main() {}', capture_output=True, text=True)
    reason = ' '.join(done.stderr.split())[:200]
    if done.returncode != 0:
        raise SetupError(f'The C++ compiler {compiler} does not work: {reason}. {advice}')


def check_disk(venv):
    """Raise SetupError when the disk of .venv has too little room."""
    first = not any(venv.glob('lib/python*/site-packages/torch/__init__.py'))
    needed = float(
        os.environ.get('HYBRID_DEPTH_MIN_FREE_GB', FIRST_INSTALL_GB if first else REFRESH_GB)
    )
    free = shutil.disk_usage(venv if venv.exists() else venv.parent).free / 1e9
    if free < needed:
        raise SetupError(
            f'Too little disk: {free:.1f} GB free for {venv}, about {needed:g} GB needed '
            '(PyTorch with its CUDA libraries is 6 GB, downloads and the build of mmcv the rest).'
        )


def check_network(python):
    """Fetch one tiny package; raises SetupError when pip cannot reach its index."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, '-m', 'pip', 'download', '--quiet', '--no-deps', '--no-cache-dir']
            + ['--retries', '1', '--timeout', '20', '--dest', folder, 'addict==2.4.0'],
            capture_output=True,
            text=True,
        )
    if done.returncode != 0:
        index = os.environ.get('PIP_INDEX_URL', 'https://pypi.org/simple')
        raise SetupError(
            f'No network: pip cannot fetch packages from {index}. Connect this machine, or name a '
            'mirror in PIP_INDEX_URL.'
        )


def read_requirements():
    """The lines of the requirement files, parted by how they are installed.

    Returns:
        (with their dependencies, without their dependencies, the mmcv line)
    """
    with_deps, without_deps, mmcv = [], [], None
    for path in REQUIREMENTS:
        for line in path.read_text().splitlines():
            requirement, _, reason = line.partition('#')
            requirement = requirement.strip()
            if requirement.startswith('mmcv=='):
                mmcv = requirement
            elif requirement:
                no_deps = reason.strip().startswith('no-deps:')
                (without_deps if no_deps else with_deps).append(requirement)
    return with_deps, without_deps, mmcv


def wanted_key(version):
    """What .venv must have been made from: the pins, the packaging and the Python version."""
    digest = hashlib.sha256()
    for path in REQUIREMENTS + [ROOT / 'pyproject.toml', Path(__file__).resolve()]:
        digest.update(path.read_bytes())
    return f'python {version}, files {digest.hexdigest()}'


def venv_version(venv):
    """'3.11' for a virtual environment whose interpreter is still there, else None."""
    config = venv / 'pyvenv.cfg'
    if not (venv / 'bin' / 'python').exists() or not config.exists():
        return None
    match = re.search(r'^version\w* *= *(\d+\.\d+)', config.read_text(), re.MULTILINE)
    return match and match.group(1)


def is_fresh(venv):
    """Whether the stamp in .venv says that nothing has to be done."""
    stamp, version = venv / 'bootstrap.stamp', venv_version(venv)
    if version is None or not stamp.exists() or stamp.read_text() != wanted_key(version):
        return False
    asked = os.environ.get('PYTHON')
    return not asked or (python_facts(asked) or {}).get('version') == version


def mmcv_kind(python):
    """('cuda' or 'cpu', why): CUDA ops need a GPU, nvcc, and nvcc of torch's CUDA major version."""
    smi = shutil.which('nvidia-smi')
    if not smi or subprocess.run([smi, '-L'], capture_output=True).returncode != 0:
        return 'cpu', 'no NVIDIA GPU'
    home = os.environ.get('CUDA_HOME', '/usr/local/cuda') + '/bin'
    nvcc = shutil.which('nvcc') or shutil.which('nvcc', path=home)
    if not nvcc:
        return 'cpu', 'a GPU but no nvcc'
    text = subprocess.run([nvcc, '--version'], capture_output=True, text=True).stdout
    ours = (re.findall(r'release (\d+)', text) or ['?'])[0]
    code = 'import torch; print((torch.version.cuda or "none").split(".")[0])'
    theirs = subprocess.run([python, '-c', code], capture_output=True, text=True).stdout.strip()
    if ours != theirs:
        return 'cpu', f'nvcc is of CUDA {ours}, torch of CUDA {theirs}'
    return 'cuda', 'a GPU and nvcc'


def build_environment(kind, folder):
    """Variables for mmcv's setup.py; the GPU is hidden from a CPU build, which else turns CUDA."""
    memory_gb = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9
    jobs = max(1, min(len(os.sched_getaffinity(0)), int(memory_gb / 2)))
    env = dict(MMCV_WITH_OPS='1', MAX_JOBS=str(jobs), CFLAGS='-O1 -g0', TMPDIR=str(folder))
    if kind == 'cpu':
        return dict(env, FORCE_CUDA='0', CUDA_VISIBLE_DEVICES='')
    return dict(env, FORCE_CUDA='1')


def ninja_progress(line):
    match = re.match(r'\s*\[(\d+)/(\d+)\]', line)
    return f'{match.group(1)} of {match.group(2)} files compiled' if match else None


def pip_progress(line):
    match = re.match(r'\s*(?:Downloading (\S+).* \(([\d.]+ [MG]B)\)|(Installing) collected)', line)
    if not match:
        return None
    return 'installing' if match.group(3) else f'downloading {match.group(1)} ({match.group(2)})'


def build_mmcv(python, requirement, kind, cache, log):
    """Path of mmcv's wheel, built in a folder that keeps its objects, so that a rerun goes on."""
    wheels = sorted(cache.glob('*.whl'))
    if wheels:
        say(f'      using the wheel built before: {wheels[0]}')
        return wheels[0]
    pip = [python, '-m', 'pip']
    source = cache / 'source'
    if not source.exists():
        unpacked = cache / 'unpacking'
        shutil.rmtree(unpacked, ignore_errors=True)
        run(pip + ['download', '--no-deps', '--no-build-isolation', '--no-binary', 'mmcv']
            + ['--dest', unpacked, requirement], log)  # fmt: skip
        shutil.unpack_archive(str(next(unpacked.glob('*.tar.gz'))), str(unpacked))
        os.replace(next(path for path in unpacked.iterdir() if path.is_dir()), source)
        shutil.rmtree(unpacked)
    # TMPDIR is the cache too: pip moves the finished wheel into place within one file system.
    run(pip + ['wheel', '--verbose', '--no-deps', '--no-build-isolation', '--no-cache-dir']
        + ['--wheel-dir', cache, source],
        log, build_environment(kind, cache), ninja_progress)  # fmt: skip
    shutil.rmtree(source)
    return next(cache.glob('*.whl'))


def install_mmcv(python, requirement, venv, log):
    """Install mmcv with compiled ops; CUDA ops that do not build give way to CPU ops, said so."""
    code = 'import torch, sys; print(torch.__version__, "cp%d%d" % sys.version_info[:2])'
    about = subprocess.run([python, '-c', code], capture_output=True, text=True, check=True)
    torch_version, tag = about.stdout.split()
    wanted, why = mmcv_kind(python)
    caches = Path(os.environ.get('XDG_CACHE_HOME', Path.home() / '.cache')) / 'hybrid-depth'
    name, stamp = requirement.replace('==', '-'), venv / 'mmcv.stamp'
    for kind in ('cuda', 'cpu') if wanted == 'cuda' else ('cpu',):
        key = f'{name}-torch{torch_version}-{kind}-{tag}-{platform.machine()}'
        works = subprocess.run([python, '-c', 'import mmcv.ops'], capture_output=True)
        if works.returncode == 0 and stamp.exists() and stamp.read_text() == key:
            say('      already there')
            return
        say(f'      {kind.upper()} ops ({why})')
        with locked(caches / key / 'lock'):
            try:
                wheel = build_mmcv(python, requirement, kind, caches / key, log)
            except SetupError as error:
                if kind == 'cpu':
                    raise
                why = f'the CUDA build failed, see {log}'
                say(f'      {str(error).splitlines()[0]} Going on with CPU ops.')
                continue
        run([python, '-m', 'pip', 'install', '--no-deps', '--force-reinstall', wheel], log)
        run([python, '-c', 'import mmcv.ops'], log)
        stamp.write_text(key)
        return


def set_up(venv):
    """All steps; raises SetupError with one clear sentence when one cannot be done."""
    start = time.monotonic()
    log = venv / 'setup.log'
    python = venv / 'bin' / 'python'
    with_deps, without_deps, mmcv = read_requirements()
    with step(1, 'Python, compiler and disk'):
        facts = find_python()
        check_compiler()
        check_disk(venv)
        say(f'      Python {facts["version"]} ({facts["python"]})')
    with locked(venv / 'bootstrap.lock'):
        (venv / 'bootstrap.stamp').unlink(missing_ok=True)
        folder = venv / 'tmp'  # /tmp may be too small for PyTorch
        folder.mkdir(exist_ok=True)
        pip_install = [python, '-m', 'pip', 'install', '--progress-bar', 'off']
        with step(2, f'virtual environment {venv}, pip and the package index'):
            if venv_version(venv) != facts['version']:
                for leftover in ('lib', 'bin', 'include', 'mmcv.stamp'):
                    path = venv / leftover
                    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            run([facts['python'], '-m', 'venv', venv], log)
            check_network(python)
            run(pip_install + BUILD_TOOLS, log)
        with step(3, f'PyTorch and {len(with_deps) + len(without_deps) - 1} other packages'):
            env = dict(TMPDIR=str(folder))
            run(pip_install + with_deps, log, env, pip_progress)
            run(pip_install + ['--no-deps'] + without_deps, log, env, pip_progress)
        with step(4, f'{mmcv} with its compiled ops'):
            install_mmcv(python, mmcv, venv, log)
        with step(5, 'this project, editable'):
            run(pip_install + ['--no-build-isolation', '--no-deps', '--editable', ROOT], log)
        with step(6, 'check that everything imports'):
            run([python, '-c', 'import hybrid_depth, mmdet3d.models, mmdet3d.evaluation'], log)
        shutil.rmtree(folder)
        (venv / 'bootstrap.stamp').write_text(wanted_key(facts['version']))
    say(f'Set-up done in {duration(time.monotonic() - start)}.')


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    venv = ROOT / '.venv'
    if sys.version_info < (3, 8):  # noqa: UP036 (this file runs on the system's Python)
        sys.exit('Set-up stopped. python3 is older than 3.8: run this with python3.11.')
    if is_fresh(venv):
        return
    say(f'Setting up {venv} (log: {venv}/setup.log)')
    try:
        set_up(venv)
    except SetupError as error:
        sys.exit(f'Set-up stopped. {error}')


if __name__ == '__main__':
    main()
