"""Command line of depth inference."""

import json

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from hybrid_depth.checkpoints.build import build_model
from tests.depth.estimators.tiny import CONV
from tests.inference.test_image_streams import write_video
from tests.tools.run import run_tool
from tests.weight_files import BROKEN, FOREIGN, write

RANDOM = pytest.mark.filterwarnings('ignore:.*random weights')


@pytest.fixture
def tiny_config(tmp_path):
    Config(dict(model=CONV, custom_imports=dict(imports=['hybrid_depth.modules']))).dump(
        tmp_path / 'c.py'
    )
    return tmp_path / 'c.py'


def test_a_video(tmp_path, tiny_config, capsys):
    video, out = write_video(tmp_path / 'drive.avi', 3, (96, 64)), tmp_path / 'out'
    weights = write(build_model(Config.fromfile(tiny_config)).state_dict(), tmp_path / 'w.pth')
    options = ('--config', tiny_config, '--numbers', 'png', '--scale', 5.4, '--batch-size', 2)
    options += ('--checkpoint', weights)
    assert run_tool('infer_depth.py', video, out, *options) is None
    output = capsys.readouterr()
    assert 'wrote depth of 3 images' in output.out and '3/3' in output.err
    for folder in ('depth', 'color'):
        names = sorted(path.name for path in (out / folder).iterdir())
        assert names == [f'drive_{i:06d}.png' for i in range(3)]
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['kind'] == 'metric' and len(manifest['files']) == 3


@RANDOM
def test_clip_of_a_video(tmp_path, tiny_config, capsys):
    video, out = write_video(tmp_path / 'drive.avi', 3, (96, 64)), tmp_path / 'out'
    options = ('--config', tiny_config, '--numbers', 'none', '--no-color', '--video', 'gif')
    assert run_tool('infer_depth.py', video, out, *options) is None
    assert f'clip: {out}/clip.gif' in capsys.readouterr().out
    with Image.open(out / 'clip.gif') as clip:
        assert clip.n_frames == 3 and clip.info['duration'] == 100  # 10 frames per second
    assert run_tool('infer_depth.py', video, out, *options, '--fps', 4) is None
    with Image.open(out / 'clip.gif') as clip:
        assert clip.info['duration'] == 250


@RANDOM
def test_disparity_pngs_reach_the_nearest_depth_of_the_model(tmp_path, tiny_config):
    image = tmp_path / '0.png'
    Image.fromarray(np.zeros((64, 96, 3), np.uint8)).save(image)
    options = ('--config', tiny_config, '--numbers', 'png', '--no-color')
    assert run_tool('infer_depth.py', image, tmp_path / 'out', *options) is None
    manifest = json.loads((tmp_path / 'out/manifest.json').read_text())
    nearest = 0.1  # of Monodepth2, whose largest disparity is 10
    assert manifest['png_factor'] == pytest.approx(65535 * nearest)


@RANDOM
def test_point_clouds_with_the_intrinsics_file_of_the_frames(tmp_path, tiny_config):
    frames = tmp_path / 'frames'
    frames.mkdir()
    Image.fromarray(np.zeros((64, 96, 3), np.uint8)).save(frames / '0.png')
    arguments = (frames, tmp_path / 'out', '--config', tiny_config, '--ply', '--no-color')
    error = run_tool('infer_depth.py', *arguments)
    assert '--intrinsics FX FY CX CY' in error and not (tmp_path / 'out').exists()
    (frames / 'intrinsics.txt').write_text('60 60 48 32')
    assert run_tool('infer_depth.py', *arguments, '--size', 64, 128) is None
    assert (tmp_path / 'out/cloud/0.ply').stat().st_size > 1000
    assert not (tmp_path / 'out/color').exists()
    assert json.loads((tmp_path / 'out/manifest.json').read_text())['network_size'] == [64, 128]


def test_missing_files_are_one_line(tmp_path, tiny_config):
    error = run_tool('infer_depth.py', tmp_path / 'a.png', tmp_path, '--config', tiny_config)
    assert error.startswith('error: expected an image') and 'a.png' in error


def test_depth_of_random_weights_is_not_metric(tmp_path, tiny_config):
    Image.fromarray(np.zeros((64, 96, 3), np.uint8)).save(tmp_path / 'a.png')
    arguments = (tmp_path / 'a.png', tmp_path / 'out', '--config', tiny_config)
    error = run_tool('infer_depth.py', *arguments, '--scale', 5.4)
    assert error.startswith('error: --scale expected trained weights') and '--checkpoint' in error
    assert not (tmp_path / 'out').exists()
    with pytest.warns(UserWarning, match='random weights'):
        assert run_tool('infer_depth.py', *arguments) is None


@pytest.mark.parametrize('kind', BROKEN | FOREIGN)
def test_unusable_weights_are_refused(tmp_path, tiny_config, kind):
    """NaN weights gave empty depth and exit code 0."""
    state = build_model(Config.fromfile(tiny_config)).state_dict()
    weights = write((BROKEN | FOREIGN)[kind](state), tmp_path / 'w.pth')
    Image.fromarray(np.zeros((64, 96, 3), np.uint8)).save(tmp_path / 'a.png')
    arguments = (tmp_path / 'a.png', tmp_path / 'out', '--config', tiny_config)
    error = run_tool('infer_depth.py', *arguments, '--checkpoint', weights)
    assert error.startswith('error: ') and 'w.pth' in error and 'expected' in error
    assert not (tmp_path / 'out').exists()
