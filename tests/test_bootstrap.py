"""tools/bootstrap.py on a bare machine: each thing that is missing is one sentence, at once.

The build itself takes minutes and is what `make test` does before it comes here.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT


@pytest.fixture
def clone(tmp_path) -> Path:
    """The files that the set-up reads, in a folder without .venv."""
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
    assert done.returncode != 0
    assert sentence in done.stderr
    assert done.stderr.count('\n') == 1, f'one sentence, not {done.stderr}'


def stub(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text('#!/bin/sh\n' + text)
    path.chmod(0o755)
    return path


def test_wrong_python(clone, tmp_path):
    old = stub(tmp_path / 'bin' / 'python', 'echo 3.9; echo /usr/include; echo\n')
    assert_refused(set_up(clone, PYTHON=str(old)), f'found: {old} is 3.9')
    assert_refused(set_up(clone, PYTHON='/nowhere/python'), 'found: none')
    assert not (clone / '.venv').exists()


def test_python_without_venv_or_headers(clone, tmp_path):
    bare = stub(tmp_path / 'bin' / 'python', 'echo 3.11; echo /usr/include; echo ensurepip\n')
    assert_refused(set_up(clone, PYTHON=str(bare)), 'apt install python3.11-venv')
    stub(bare, f'echo 3.11; echo {tmp_path}; echo\n')
    assert_refused(set_up(clone, PYTHON=str(bare)), 'apt install python3.11-dev')


def test_no_compiler(clone, tmp_path):
    (tmp_path / 'empty').mkdir()
    assert_refused(set_up(clone, PATH=str(tmp_path / 'empty')), 'No C++ compiler: g++ is not')
    broken = stub(tmp_path / 'bin' / 'g++', 'echo internal error >&2; exit 1\n')
    assert_refused(set_up(clone, CXX=str(broken)), f'The C++ compiler {broken} does not work')
    assert not (clone / '.venv').exists()


def test_too_little_disk(clone):
    assert_refused(set_up(clone, HYBRID_DEPTH_MIN_FREE_GB='1e9'), 'Too little disk:')
    assert not (clone / '.venv').exists()


def test_no_network(clone):
    start = time.monotonic()
    done = set_up(clone, PIP_INDEX_URL='http://127.0.0.1:9/simple')
    assert_refused(done, 'No network: pip cannot fetch packages from http://127.0.0.1:9/simple')
    assert time.monotonic() - start < 60
    assert not (clone / '.venv' / 'bootstrap.stamp').exists()


def test_stamp_follows_the_requirement_files(bootstrap, clone):
    venv = clone / '.venv'
    assert not bootstrap.is_fresh(venv)
    (venv / 'bin').mkdir(parents=True)
    (venv / 'bin' / 'python').symlink_to(sys.executable)
    (venv / 'pyvenv.cfg').write_text('home = /usr/bin\nversion = 3.11.7\n')
    (venv / 'bootstrap.stamp').write_text(bootstrap.wanted_key('3.11'))
    assert bootstrap.is_fresh(venv)
    with open(clone / 'requirements' / 'bev.txt', 'a') as file:
        file.write('# another pin\n')
    assert not bootstrap.is_fresh(venv)
    (venv / 'bootstrap.stamp').write_text(bootstrap.wanted_key('3.12'))
    assert not bootstrap.is_fresh(venv), 'made by another Python'
    (venv / 'bootstrap.stamp').write_text(bootstrap.wanted_key('3.11'))
    (venv / 'bin' / 'python').unlink()
    assert not bootstrap.is_fresh(venv), 'its interpreter is gone'


def test_requirement_lines_are_pinned_and_have_a_reason(bootstrap):
    with_deps, without_deps, mmcv = bootstrap.read_requirements()
    assert mmcv == 'mmcv==2.1.0'
    assert {'mmengine==0.10.7', 'mmdet==3.2.0', 'mmdet3d==1.4.0'} <= set(without_deps)
    assert 'torch===2.13.0' in with_deps
    assert not [line for line in with_deps if line.startswith(('mm', 'opencv-python='))]
    for path in (ROOT / 'requirements').glob('*.txt'):
        for line in path.read_text().splitlines():
            if line and not line.startswith('#'):
                requirement, _, reason = line.partition('  # ')
                assert '==' in requirement and len(reason) > 10, f'{path.name}: {line}'


def test_cuda_ops_are_built_only_where_they_can_be(bootstrap, tmp_path, monkeypatch):
    binaries = tmp_path / 'bin'
    python = stub(binaries / 'python', 'echo 13\n')
    monkeypatch.setenv('PATH', str(binaries))
    monkeypatch.setenv('CUDA_HOME', str(tmp_path))
    assert bootstrap.mmcv_kind(python) == ('cpu', 'no NVIDIA GPU')
    stub(binaries / 'nvidia-smi', 'exit 9\n')
    assert bootstrap.mmcv_kind(python) == ('cpu', 'no NVIDIA GPU')
    stub(binaries / 'nvidia-smi', 'echo GPU 0\n')
    assert bootstrap.mmcv_kind(python) == ('cpu', 'a GPU but no nvcc')
    stub(binaries / 'nvcc', 'echo Cuda compilation tools, release 12.1, V12.1.66\n')
    assert bootstrap.mmcv_kind(python) == ('cpu', 'nvcc is of CUDA 12, torch of CUDA 13')
    stub(binaries / 'nvcc', 'echo Cuda compilation tools, release 13.0, V13.0.48\n')
    assert bootstrap.mmcv_kind(python)[0] == 'cuda'
    assert bootstrap.build_environment('cpu', tmp_path)['CUDA_VISIBLE_DEVICES'] == ''
    assert bootstrap.build_environment('cuda', tmp_path)['FORCE_CUDA'] == '1'


def test_progress_lines(bootstrap, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, 'HEARTBEAT_SECONDS', 0.2)
    script = 'echo "[12/77] c++ -c nms.cpp"; sleep 1'
    bootstrap.run(['sh', '-c', script], tmp_path / 'log', progress=bootstrap.ninja_progress)
    assert '12 of 77 files compiled' in capsys.readouterr().out
    line = '  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (532.1 MB)'
    assert bootstrap.pip_progress(line).startswith('downloading torch-2.13.0')
    assert bootstrap.pip_progress('Installing collected packages: six') == 'installing'
    with pytest.raises(bootstrap.SetupError, match='(?s)exit 3.*the reason'):
        bootstrap.run(['sh', '-c', 'echo the reason; exit 3'], tmp_path / 'log')


def test_a_second_set_up_waits_for_the_first(bootstrap, tmp_path):
    lock = tmp_path / 'lock'
    code = (
        f'import sys; sys.path.insert(0, {str(Path(bootstrap.__file__).parent)!r})\n'
        'import bootstrap, pathlib\n'
        f'with bootstrap.locked(pathlib.Path({str(lock)!r})): print("in")\n'
    )
    with bootstrap.locked(lock):
        other = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True)
        assert 'waiting' in other.stdout.readline()
    assert other.communicate(timeout=30)[0] == 'in\n'
