import os
import signal
import subprocess
import sys
import warnings

import pytest
from filelock import FileLock
from mmengine.config import Config
from mmengine.runner import Runner

from hybrid_depth.engine.work_dir import LOCK_FILE, lock_work_dir, locked_work_dir
from hybrid_depth.errors import OutputInUseError
from tests.engine.kill_resume import ROOT
from tests.engine.tiny import tiny_config

HOLDER = """
import os, sys, time
from hybrid_depth.engine.work_dir import lock_work_dir
lock = lock_work_dir(sys.argv[1])
if os.fork() == 0:  # a worker, which outlives the process for a while
    print('held', flush=True)  # by the worker: it closes the lock file once it runs
    time.sleep(600)
    os._exit(0)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that trains in `work`, with a worker."""
    command = [sys.executable, '-c', HOLDER, str(tmp_path / 'work')]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=dict(os.environ), start_new_session=True
    ) as process:
        assert process.stdout.readline() == 'held\n'
        yield process
        process.stdout.close()
        os.killpg(process.pid, signal.SIGKILL)


def test_a_work_dir_in_use_is_refused_until_its_process_is_killed(tmp_path, holder):
    """The worker that is left has the file open as well."""
    work = tmp_path / 'work'
    for same in (work, tmp_path / 'link', str(work / '..' / 'work')):
        if same == tmp_path / 'link':
            same.symlink_to(work)
        with pytest.raises(OutputInUseError, match='another process trains.*--work-dir FOLDER'):
            lock_work_dir(same)
    lock_work_dir(tmp_path / 'other').release()
    holder.kill()
    holder.wait()
    lock_work_dir(work).release()


def test_a_second_training_changes_nothing(tmp_path, holder):
    """It overwrote the first one's checkpoints and removed what that was writing."""
    work = tmp_path / 'work'
    (work / '.epoch_1.pth.part-0123456789abcdef').write_text('of the first one')
    (work / 'epoch_1.pth').write_text('of the first one')
    before = {path: path.read_bytes() for path in work.iterdir()}
    runner = Runner.from_cfg(tiny_config(work))
    with pytest.raises(OutputInUseError):
        runner.train()
    assert {path: path.read_bytes() for path in before} == before
    assert not (work / 'last_checkpoint').exists()


def test_the_command_line_refuses_before_it_writes(tmp_path, holder):
    config = tmp_path / 'tiny.py'
    config.write_text(tiny_config('unused').pretty_text)
    command = [sys.executable, ROOT / 'tools/train.py', config, '--work-dir', tmp_path / 'work']
    env = dict(os.environ, PYTHONPATH=f'{ROOT}{os.pathsep}{os.environ.get("PYTHONPATH", "")}')
    done = subprocess.run([*map(str, command)], env=env, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and 'error: ' in done.stderr and 'Traceback' not in done.stderr
    assert 'another process trains' in done.stderr
    assert os.listdir(tmp_path / 'work') == [LOCK_FILE]


def test_one_process_may_train_again_in_its_own(tmp_path):
    for max_epochs in (1, 2):
        cfg = tiny_config(tmp_path / 'work')
        cfg.train_cfg.max_epochs = max_epochs
        cfg.resume, cfg.experiment_name = max_epochs == 2, f'tiny{max_epochs}'
        with locked_work_dir(Config(dict(cfg, launcher='none'))):
            Runner.from_cfg(cfg).train()
        with FileLock(tmp_path / 'work' / LOCK_FILE, timeout=0):
            pass  # given up at the end
    assert (tmp_path / 'work' / 'epoch_2.pth').exists()


def test_after_an_error_the_process_may_go_on(tmp_path, monkeypatch):
    """As in a notebook, where a cell is stopped and run again."""
    runner = Runner.from_cfg(tiny_config(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(type(runner.model), 'forward', lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            runner.train()
    cfg = tiny_config(tmp_path)
    cfg.experiment_name = 'again'
    Runner.from_cfg(cfg).train()


@pytest.mark.parametrize(
    ('launcher', 'name'),
    [('pytorch', 'RANK'), ('slurm', 'SLURM_PROCID'), ('mpi', 'OMPI_COMM_WORLD_RANK')],
)
def test_of_several_processes_the_first_holds_it(tmp_path, monkeypatch, launcher, name):
    cfg = Config(dict(launcher=launcher, work_dir=str(tmp_path)))
    for rank, held in ((0, True), (1, False)):
        monkeypatch.setenv(name, str(rank))
        with locked_work_dir(cfg):
            assert _is_free(FileLock(tmp_path / LOCK_FILE, timeout=0)) != held


def _is_free(lock: FileLock) -> bool:
    try:
        with lock:
            return True
    except TimeoutError:
        return False


def test_a_file_system_without_locks_is_warned_of(tmp_path, monkeypatch):
    def no_locks(*_, **__):
        raise OSError(37, 'No locks available')

    monkeypatch.setattr(FileLock, 'acquire', no_locks)
    with pytest.warns(UserWarning, match='cannot be locked.*no other training'):
        lock = lock_work_dir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        lock.release()
