"""Command lines of models of several frames: a complete run, and bad input as text."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from hybrid_depth.checkpoints.build import build_model
from tests.conftest import ROOT
from tests.depth.estimators import test_manydepth, test_mono_vifi
from tests.depth.estimators.tiny import SIZE
from tests.tools.run import run_tool

MODELS = dict(manydepth=test_manydepth.TINY, mono_vifi=test_mono_vifi.CFG)
CAMERA = '60 60 48 32'
PIPELINE = """[
    dict(type='LoadFrames'), dict(type='ResizeFrames', size=({1}, {0})), dict(type='PackFrames')
]""".format(*SIZE)
TRAINING = """
_base_ = '{root}/configs/toy/{base}.py'
model = dict(_delete_=True, **{model})
train_dataloader = dict(
    batch_size=2, num_workers=0, dataset=dict(_delete_=True, pipeline={pipeline}, **{data})
)
val_cfg = val_dataloader = val_evaluator = None
test_cfg = test_dataloader = test_evaluator = None
train_cfg = dict(max_epochs=1, val_interval=10)
"""


def write_images(folder, sizes, name='{}.png'):
    """Random images of sizes (columns, rows), in order."""
    folder.mkdir(parents=True)
    for i, (columns, rows) in enumerate(sizes):
        pixels = np.random.randint(0, 256, (rows, columns, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name.format(i))
    return folder


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """Config and weights by model."""
    folder, found = tmp_path_factory.mktemp('several'), {}
    for name, model in MODELS.items():
        cfg = Config(dict(model=model, custom_imports=dict(imports=['hybrid_depth.modules'])))
        cfg.dump(folder / f'{name}.py')
        torch.save(dict(state_dict=build_model(cfg).state_dict()), folder / f'{name}.pth')
        found[name] = folder / f'{name}.py', folder / f'{name}.pth'
    return found


def infer(files, name, frames, out, *options):
    config, weights = files[name]
    arguments = ('infer_depth.py', frames, out, '--config', config, '--checkpoint', weights)
    return run_tool(*arguments, '--no-color', *options)


def frames_used(out):
    return [file['frames'] for file in json.loads((out / 'manifest.json').read_text())['files']]


@pytest.mark.filterwarnings('ignore:.*single-frame mode')
def test_images_of_another_size_are_another_video(files, tmp_path, capsys):
    frames = write_images(tmp_path / 'frames', [(96, 64)] * 3 + [(64, 48)])
    assert infer(files, 'mono_vifi', frames, tmp_path / 'out') is None
    used, places = frames_used(tmp_path / 'out'), [{0, 1, 2}, {3}]
    for i in range(4):
        (video,) = [group for group in places if i in group]
        there = [k for k in (0, -1, 1) if i + k in video]
        assert used[i] == there
    assert 'single-frame mode: ' in capsys.readouterr().out


@pytest.mark.filterwarnings('ignore:.*single-frame mode')
@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ((), 'expected intrinsics to predict from frames (0, -1), got none: give cam2img'),
        (('--frames', 0, 1), 'expected frames out of (0, -1), which ManyDepth uses'),
        (('--frames', -1), 'expected frames out of (0, -1), which ManyDepth uses, with 0 among'),
        (('--intrinsics', 0, 60, 48, 32), 'expected positive focal lengths'),
        (('--intrinsics', 60, 60, 480, 32), 'expected the centre near the middle of the image'),
    ],
)
def test_bad_options_of_manydepth(files, tmp_path, options, message):
    frames = write_images(tmp_path / 'frames', [(96, 64)] * 2)
    error = infer(files, 'manydepth', frames, tmp_path / 'out', *options)
    assert error.startswith('error: ') and message in error


@pytest.mark.filterwarnings('ignore:.*single-frame mode')
def test_weights_without_depth_range_and_a_pose_that_is_not_finite(files, tmp_path):
    frames = write_images(tmp_path / 'frames', [(96, 64)] * 2)
    config, weights = files['manydepth']
    camera = ('--intrinsics', *CAMERA.split())
    state = torch.load(weights, weights_only=True)['state_dict']
    cut = {key: value for key, value in state.items() if key != 'matching.depth_range'}
    last = 'teacher.pose_net.decoder.net.3.bias'
    huge = {**state, last: torch.full_like(state[last], 1e38)}
    cases = ((cut, 'matching.depth_range'), (huge, 'expected finite transforms'))
    for number, (content, message) in enumerate(cases):
        file = tmp_path / f'{number}.pth'
        torch.save(dict(state_dict=content), file)
        out = tmp_path / f'out{number}'
        error = infer(dict(manydepth=(config, file)), 'manydepth', frames, out, *camera)
        assert error.startswith('error: ') and message in error


def training_config(folder, name, data):
    """Training of a tiny model on a data set."""
    base = dict(manydepth='manydepth_r18_toy', mono_vifi='mono_vifi_r18_toy')[name]
    path = folder / 'config.py'
    content = dict(root=ROOT, base=base, model=MODELS[name], data=data, pipeline=PIPELINE)
    path.write_text(TRAINING.format(**content))
    return path


def train(folder, name, data, *options):
    config = training_config(folder, name, data)
    return run_tool('train.py', config, '--work-dir', folder / 'run', *options)


@pytest.fixture
def video(tmp_path):
    """Data set config of four frames of a video."""
    frames = write_images(tmp_path / 'video', [(96, 64)] * 4)
    (frames / 'intrinsics.txt').write_text(CAMERA)
    return dict(type='VideoFolderDataset', data_root=str(frames), frame_ids=(0, -1, 1))


@pytest.mark.parametrize('name', MODELS)
def test_data_without_what_training_needs(tmp_path, video, name):
    error = train(tmp_path, name, dict(video, frame_ids=(0, 1)))
    assert error.startswith('error: ') and "set the dataset's frame_ids to" in error
    (tmp_path / 'video/intrinsics.txt').unlink()
    error = train(tmp_path, name, video)
    assert error.startswith('error: ') and 'intrinsics' in error


def test_lookups_that_are_no_chain(tmp_path, video):
    error = train(tmp_path, 'manydepth', video, '--cfg-options', 'model.lookups=[-2]')
    assert error.startswith('error: ') and 'each a neighbour of frame 0' in error


def triplets(root, count=3, size=(288, 64)):
    """Cityscapes triplets, side by side."""
    folder = write_images(root / 'aachen', [size] * count, 'aachen_000000_{:06d}.png')
    for image in folder.iterdir():
        image.with_name(image.stem + '_cam.txt').write_text('60,0,48,0,60,32,0,0,1')
    return dict(type='CityscapesTripletDataset', data_root=str(root), frame_ids=(0, -1, 1))


def cut_images(folder):
    for path in folder.glob('*.png'):
        path.write_bytes(path.read_bytes()[:500])


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (lambda folder: (folder / 'aachen_000000_000001_cam.txt').unlink(), '1 of 3, first'),
        (lambda folder: [path.unlink() for path in folder.iterdir()], 'expected triplets in'),
        (
            lambda folder: (folder / 'aachen_000000_000001_cam.txt').write_text('60,0,48'),
            '000001_cam.txt',
        ),
        (cut_images, 'aachen_000000_00000'),
        (lambda folder: folder.rename(folder.parents[1] / 'elsewhere'), 'expected triplets in'),
    ],
    ids=['no-camera', 'empty-city', 'short-camera', 'damaged-image', 'no-city'],
)
def test_cityscapes_with_holes(tmp_path, damage, message):
    data = triplets(tmp_path / 'cityscapes')
    damage(tmp_path / 'cityscapes/aachen')
    error = train(tmp_path, 'manydepth', data)
    assert error.startswith('error: ') and message in error


def test_cityscapes_trains(tmp_path):
    assert train(tmp_path, 'manydepth', triplets(tmp_path / 'cityscapes')) is None
    assert (tmp_path / 'run/epoch_1.pth').is_file()
