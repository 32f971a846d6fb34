"""A wheel works without the repository: build, installation, training."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from hybrid_depth.optional import bev_problem
from tests.conftest import ROOT

needs_bev = pytest.mark.skipif(bev_problem() is not None, reason='needs mmdet3d')

SOURCES = ('projects', 'configs', 'requirements')
FILES = ('pyproject.toml', 'MANIFEST.in', 'README.md', 'LICENSE')


def run(*command: object, cwd: Path) -> str:
    hidden = ('PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV')
    env = {key: value for key, value in os.environ.items() if key not in hidden}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=dict(env, OMP_NUM_THREADS='1'),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f'{command}\n{done.stdout}'
    return done.stdout


@pytest.fixture(scope='module')
def wheel(tmp_path_factory) -> Path:
    """Wheel built through the source distribution, from a copy of the sources."""
    source, out = tmp_path_factory.mktemp('source'), tmp_path_factory.mktemp('dist')
    for name in SOURCES:
        ignored = shutil.ignore_patterns('__pycache__', '*.egg-info')
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, source)
    packages = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
    command = [sys.executable, '-m', 'build', '--no-isolation', '--outdir', out, source]
    done = subprocess.run(command, cwd=source, env=packages, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob('*.whl'))


@pytest.fixture(scope='module')
def bin_folder(wheel, tmp_path_factory) -> Path:
    """Commands of a new virtual environment with the wheel, and the packages of this one.

    These come by a plain line in a .pth file, behind the wheel; files of their own that lead to a
    repository (`pip install -e`) are not read. setuptools' line is added: it stands in for the
    distutils that mmengine imports and Python 3.12 no longer has.
    """
    folder = tmp_path_factory.mktemp('venv')
    builder = venv.EnvBuilder(with_pip=True, symlinks=os.name != 'nt')
    builder.create(folder)
    found = builder.ensure_directories(folder)
    packages = [path for path in sys.path if Path(path).name in ('site-packages', 'dist-packages')]
    python = Path(found.env_exe)
    ask = 'import sysconfig; print(sysconfig.get_path("purelib"))'
    site = run(python, '-c', ask, cwd=folder).strip()
    shims = [path for folder in packages for path in Path(folder).glob('distutils-precedence.pth')]
    lines = packages + [shim.read_text() for shim in shims[:1]]
    Path(site, 'packages_of_the_tests.pth').write_text('\n'.join(lines))
    run(python, '-m', 'pip', 'install', '--no-index', '--no-deps', wheel, cwd=folder)
    return python.parent


@needs_bev
def test_train_from_an_installed_wheel(bin_folder, tmp_path):
    where = 'import hybrid_depth; print(hybrid_depth.__file__)'
    place = Path(run(bin_folder / 'python', '-c', where, cwd=tmp_path).strip())
    assert place.is_relative_to(bin_folder.parent)

    def hybrid_depth(*arguments: str) -> str:
        return run(bin_folder / 'hybrid-depth', *arguments, cwd=tmp_path)

    world = ['--scenes', '2', '--keyframes', '1', '--size', '64x36']
    hybrid_depth('make-toy-world', 'data/toy', *world)
    hybrid_depth('create-nuscenes-infos', '--root', 'data/toy', '--version', 'v1.0-mini')
    hybrid_depth('train', 'toy/bevdet_plain_toy.py', '--cfg-options', 'train_cfg.max_epochs=2')
    assert Path(tmp_path, 'work_dirs/bevdet_plain_toy/epoch_2.pth').is_file()


def test_the_wheel_is_complete(wheel, tmp_path):
    """It has every config, metafile and module, and no other files."""
    shutil.unpack_archive(wheel, tmp_path, 'zip')
    package = ROOT / 'projects/hybrid_depth/hybrid_depth'
    expected = {str(path.relative_to(package)) for path in package.rglob('*.py')}
    shipped = [*Path(ROOT, 'configs').rglob('*.py'), *Path(ROOT, 'configs').rglob('metafile.yml')]
    configs = {str(path.relative_to(ROOT)) for path in shipped}
    installed = tmp_path / 'hybrid_depth'
    found = {str(path.relative_to(installed)) for path in installed.rglob('*') if path.is_file()}
    assert len(configs) > 50
    assert found == expected | configs
    metadata = next(tmp_path.glob('*.dist-info/METADATA')).read_text()
    assert '# Hybrid-Depth toolkit' in metadata
