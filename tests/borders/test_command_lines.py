"""Ends of command lines: errors of the user, of the system and Ctrl-C are no tracebacks."""

import copy
import errno
import os
import signal
import subprocess
import sys
import time
import urllib.error

import mmengine
import numpy as np
import pytest

from hybrid_depth.cli import run
from hybrid_depth.datasets.calibrated_frames import info_clips
from hybrid_depth.datasets.depth_map_files import read_depth_png
from hybrid_depth.datasets.kitti.splits import read_split
from hybrid_depth.engine.config import load_config, require_length
from tests.borders.refusal import refused
from tests.engine.tiny import CONFIG
from tests.tools.run import run_tool


def raising(error):
    def function():
        raise error

    return function


@pytest.mark.parametrize(
    ('error', 'text'),
    [
        (OSError(errno.ENOSPC, 'No space left on device', 'out/a.npy'), 'out/a.npy'),
        (PermissionError(errno.EACCES, 'Permission denied', 'out'), "Permission denied: 'out'"),
        (OSError(errno.EROFS, 'Read-only file system', 'out'), 'Read-only'),
        (IsADirectoryError(errno.EISDIR, 'Is a directory', 'a.pth'), 'a.pth'),
        (NotADirectoryError(errno.ENOTDIR, 'Not a directory', 'a/b'), 'a/b'),
        (FileNotFoundError('expected a.pth'), 'expected a.pth'),
        (urllib.error.URLError('refused'), 'give its path'),
        (urllib.error.HTTPError('http://a/w.pth', 404, 'Not Found', {}, None), 'http://a/w.pth'),
    ],
)
def test_errors_of_the_system_are_sentences(error, text):
    with pytest.raises(SystemExit) as end:
        run(raising(error))
    assert str(end.value.code).startswith('error: ') and text in end.value.code


def test_ctrl_c(capsys):
    with pytest.raises(SystemExit) as end:
        run(raising(KeyboardInterrupt()))
    assert end.value.code == 130 and capsys.readouterr().err == 'interrupted\n'


def test_ctrl_c_in_a_terminal(tmp_path):
    """It reaches the workers too, which printed a traceback each."""
    command = ['make-toy-world', 'out', '--keyframes', '50', '--size', '64x36', '--workers', '2']
    process = subprocess.Popen(
        [sys.executable, '-m', 'hybrid_depth', *command],
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(map(os.path.abspath, sys.path))),
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
        # a shell lets background processes, such as this one's parent in CI, ignore it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while process.poll() is None and not list(tmp_path.glob('.out.part-*/samples/*/*')):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    text = process.communicate(timeout=60)[1]
    assert process.returncode == 130, text
    assert text.endswith('interrupted\n') and 'Traceback' not in text
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize('error', [OSError('of a library'), ValueError('a fault of ours')])
def test_faults_of_ours_keep_their_traceback(error):
    with pytest.raises(type(error)):
        run(raising(error))


DEPTH = ('infer_depth.py', 'a.png', 'out', '--config', 'c.py')
ROBUST = ('robustness.py', 'c.py', 'w.pth')
BEV = ('infer_bev.py', 'i.pkl', 'out', '--config', 'c.py')
PSEUDO = ('make_pseudo_depth.py', 'c.py', 'w.pth', '--infos', 'i.pkl', '--out', 'out')
EMBODIED = ('make_embodied_depth.py', 'root', 'out', '--labels', 'labels')
INFOS = ('create_nuscenes_infos.py', '--root', 'root', '--version', 'v1.0-mini')


@pytest.mark.parametrize(
    ('tool', 'option', 'values'),
    [
        (DEPTH, '--size', ['0 0', '-32 64', '64 0', '64.5 64', '³ 4', '31 64', '1 1']),
        (DEPTH, '--scale', ['nan', 'inf', '0', '-1', 'x']),
        (DEPTH, '--batch-size', ['0', '-1', 'x', '1_0', '１']),
        (DEPTH, '--frames', ['x', '0 ١', '0.5']),
        (DEPTH, '--range', ['0 1', 'nan 2', '1 inf']),
        (DEPTH, '--intrinsics', ['nan 1 1 1', '1 1 inf 1']),
        (DEPTH, '--fps', ['0', 'nan']),
        (BEV, '--score-thr', ['nan', 'x', '0_1', '٠.5']),
        (BEV, '--fps', ['0', '-1', 'inf']),
        (ROBUST, '--seed', ['-1', 'x']),
        (ROBUST, '--angles', ['0', 'nan', '1 -2']),
        (ROBUST, '--strengths', ['0', '1 x']),
        (PSEUDO, '--size', ['0 0', '-1 64', '64 30']),
        (PSEUDO, '--max-depth', ['nan', '0', '-1', 'inf']),
        (PSEUDO, '--mirror-tolerance', ['nan', '-0.1']),
        (PSEUDO, '--neighbour-tolerance', ['nan', '-0.1']),
        (EMBODIED, '--pitch', ['nan', 'inf']),
        (EMBODIED, '--max-depth', ['nan', '0']),
        (EMBODIED, '--kerb-height', ['nan']),
        (EMBODIED, '--gaps', ['0', '3 -1']),
        (INFOS, '--workers', ['0', '-1']),
        (INFOS, '--max-scenes', ['0', '-1']),
        (INFOS, '--lidar-sweeps', ['-1']),
        (('prepare_kitti.py', 'make-split', 'root', 'out'), '--val-share', ['nan', '2', '-1']),
        (('prepare_kitti.py', 'make-split', 'root', 'out'), '--min-motion', ['nan', '-1']),
        (('prepare_kitti.py', 'to-jpeg', 'root'), '--workers', ['0', '-2']),
        (('make_toy_world.py', 'out'), '--workers', ['0']),
        (('make_toy_world.py', 'out'), '--size', ['³x4', '3', '-3x4', '١٢x٣']),
        (('make_toy_world.py', 'out'), '--scenes', ['x', '１', '1_0']),
        (('make_toy_world.py', 'out'), '--camera-height', ['nan', 'x']),
        (('make_text_features.py', 'out'), '--seed', ['³', '1_0']),
        (('evaluate_pose.py', 'a', 'b'), '--frames', ['³', '1_0']),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_numbers_out_of_range(tool, option, values, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value in values:
        assert run_tool(*tool, option, *value.split()) == 2, value
        assert f'argument {option}: expected' in capsys.readouterr().err, value
    assert not any(tmp_path.iterdir())


def config(path, old='', new='', name='net.py'):
    assert old in CONFIG
    (path / name).write_text(CONFIG.format(workers=0).replace(old, new) if old else new)
    return path / name


@pytest.mark.parametrize(
    'value', ['max_epochs=0', 'max_epochs=-1', 'max_epochs="3"', 'max_epochs=1.5', 'max_iters=0',
              'max_epochs=None', 'max_epochs=True', 'max_iters=[1]'],
)  # fmt: skip
def test_trainings_of_no_length(value, tmp_path):
    path = config(tmp_path, 'max_epochs=3', value)
    with refused('net.py', value.split('=')[0], 'whole number above 0', 'hybrid-depth test'):
        require_length(load_config(path, None, None, 'none'))
    path = config(tmp_path, new='train_cfg = [1]\n')
    with refused('train_cfg as dict'):
        require_length(load_config(path, None, None, 'none'))


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('syntax.py', b'model = dict('),
        ('bom.py', b'\xef\xbb\xbfmodel = 1'),
        ('utf16.py', 'model = 1'.encode('utf-16')),
        ('latin.py', b'# \xff\xfe'),
        ('error.py', b'x = 1 / 0'),
        ('unknown.py', b'x = absent'),
        ('list.json', b'[1]'),
        ('text.json', b'nonsense'),
        ('utf16.json', '{}'.encode('utf-16')),
        ('bad.yaml', b'a: ['),
        ('list.yaml', b'[1]'),
    ],
)
def test_configs_of_other_kinds(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with refused(name, 'expected'):
        load_config(tmp_path / name, None, None, 'none')


@pytest.mark.parametrize('new', ['', 'model = [1]', 'model = "net"', 'model = 3'])
def test_configs_without_a_model(new, tmp_path):
    error = run_tool('train.py', config(tmp_path, new=new), '--work-dir', tmp_path / 'out')
    assert 'expected a config with model = dict(type=...)' in error


@pytest.mark.parametrize(
    ('launcher', 'words'), [('pytorch', 'torchrun'), ('slurm', 'srun'), ('mpi', 'mpirun')]
)
def test_launchers_that_have_not_started_the_process(launcher, words, tmp_path, monkeypatch):
    for name in ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_LOCAL_RANK'):
        monkeypatch.delenv(name, raising=False)
    with refused(f'--launcher {launcher}', words):
        load_config(config(tmp_path), None, None, launcher)


def test_an_absent_depth_png_is_not_called_damaged(tmp_path):
    with refused('absent.png', 'does not exist'):
        read_depth_png(tmp_path / 'absent.png')


@pytest.mark.parametrize(
    'content', ['a/b ³ l'.encode(), 'a/b 1 l'.encode('utf-16'), b'{"a": 1}', b'\x89PNG\r\n']
)
def test_split_files_of_other_kinds(content, tmp_path):
    (tmp_path / 'list.txt').write_bytes(content)
    with refused('list.txt', 'expected'):
        read_split(tmp_path / 'list.txt')
    (tmp_path / 'list.txt').write_bytes(b'\xef\xbb\xbfa/b 1 l\n')
    assert read_split(tmp_path / 'list.txt')[0].folder == 'a/b'


@pytest.mark.parametrize('key', ['cam2ego', 'ego2global', 'lidar2cam', 'cam2img'])
@pytest.mark.parametrize('value', ['nan', 'zero', 'text', 'absent'])
def test_infos_of_embodied_depth(key, value, toy_infos, tmp_path):
    content = copy.deepcopy(mmengine.load(toy_infos / 'nuscenes_infos_val.pkl'))
    camera = content['data_list'][1]['images']['CAM_FRONT']
    good = np.array(camera.pop(key))
    if value != 'absent':
        camera[key] = dict(nan=good * np.nan, zero=good * 0, text='abc')[value]
    mmengine.dump(content, tmp_path / 'infos.pkl')
    with refused('infos.pkl, sample 1', key if value == 'absent' else 'CAM_FRONT'):
        info_clips(tmp_path / 'infos.pkl', tmp_path)


@pytest.mark.parametrize('key', ['images', 'lidar_points', 'scene_token'])
def test_infos_of_other_versions(key, toy_infos, tmp_path):
    content = copy.deepcopy(mmengine.load(toy_infos / 'nuscenes_infos_val.pkl'))
    for value in (None, 'absent'):
        content['data_list'][0].pop(key)
        if value is None and key != 'scene_token':
            content['data_list'][0][key] = value
        mmengine.dump(content, tmp_path / 'infos.pkl')
        with refused('infos.pkl, sample 0', 'create-nuscenes-infos'):
            info_clips(tmp_path / 'infos.pkl', tmp_path)
        content['data_list'][0].setdefault(key, None)


@pytest.mark.parametrize('out', ['/proc/absent', 'a file'])
def test_read_only_outputs(out, toy_kitti, tmp_path):
    if out == 'a file':
        out = tmp_path / 'file'
        out.write_text('x')
    error = run_tool('make_embodied_depth.py', toy_kitti, out, '--labels', toy_kitti / 'semantic')
    assert error.startswith('error: ') and str(out) in error
