"""Training and evaluation of depth models by command line, on a few toy frames."""

import json

import pytest
import torch

from benchmarks.learning import learning_table
from hybrid_depth.checkpoints import load_checkpoint_file
from tests.conftest import ROOT
from tests.tools.run import run_tool

# Two iterations, with smaller images than in the toy configs.
CONFIG = """
_base_ = '{base}'
train_dataloader = dict(batch_size=3, num_workers=0, dataset={train})
val_dataloader = dict(num_workers=0, dataset={val})
test_dataloader = val_dataloader
{evaluator}
train_cfg = dict(max_epochs=1, val_interval=1)
custom_hooks = [dict(type='ValidateFirstHook')]
"""


def write_config(folder, name, train, val=None, truth=None):
    """A toy config on other data."""
    evaluator = f"val_evaluator = dict(truth='{truth}')\ntest_evaluator = val_evaluator"
    path = folder / f'{name}.py'
    base = ROOT / 'configs' / 'toy' / f'{name}.py'
    evaluator = evaluator if truth else ''
    path.write_text(CONFIG.format(base=base, train=train, val=val or train, evaluator=evaluator))
    return path


def train_and_test(config, work_dir, *options, show=()):
    """Results of the test, and the checkpoint."""
    assert run_tool('train.py', config, '--work-dir', work_dir, *options) is None
    checkpoint, out = work_dir / 'epoch_1.pth', work_dir / 'test'
    assert run_tool('test.py', config, checkpoint, '--work-dir', out, *show) is None
    (scores,) = out.glob('*/*.json')
    return json.loads(scores.read_text().splitlines()[-1]), load_checkpoint_file(checkpoint)


@pytest.fixture(scope='module')
def truth(toy_kitti, tmp_path_factory):
    out = tmp_path_factory.mktemp('truth')
    options = ('--split', 'splits/toy/val_files.txt', '--source', 'improved')
    assert run_tool('prepare_kitti.py', 'export-gt', toy_kitti, out, *options) is None
    return out


@pytest.fixture(scope='module')
def stage1(toy_lanes, tmp_path_factory):
    """A stage 1 checkpoint."""
    folder = tmp_path_factory.mktemp('stage1')
    repeated = f"dict(dataset=dict(data_root='{toy_lanes}/'), times=6)"
    config = write_config(folder, 'hybrid_stage1_toy', repeated, f"dict(data_root='{toy_lanes}/')")
    scores, checkpoint = train_and_test(config, folder / 'run')
    assert 0 <= scores['patches/order_accuracy'] <= 1 and scores['patches/lines'] > 0
    assert checkpoint['meta']['iter'] == 2
    return folder / 'run' / 'epoch_1.pth'


@pytest.mark.slow
def test_monodepth2(toy_kitti, truth, tmp_path):
    config = write_config(
        tmp_path, 'monodepth2_r18_toy', f"dict(data_root='{toy_kitti}/')", truth=truth
    )
    scores, checkpoint = train_and_test(config, tmp_path / 'run')
    assert checkpoint['meta']['iter'] == 2
    assert 0 < scores['depth/abs_rel'] < 5


@pytest.mark.slow
def test_manydepth(toy_kitti, truth, tmp_path):
    """Two iterations, the second with a frozen teacher; both modes are scored, and a folder is run
    through with and without neighbours."""
    data = f"dict(data_root='{toy_kitti}/')"
    config = write_config(tmp_path, 'manydepth_r18_toy', data, truth=truth)
    options = ('--cfg-options', 'train_cfg.max_epochs=2', 'default_hooks.freeze_teacher.epoch=1')
    assert run_tool('train.py', config, '--work-dir', tmp_path / 'run', *options) is None
    first, last = (load_checkpoint_file(tmp_path / f'run/epoch_{i}.pth') for i in (1, 2))
    first, last = first['state_dict'], last['state_dict']
    same = {key for key in last if torch.equal(first[key], last[key])}
    assert {key for key in last if key.startswith('teacher.')} <= same
    assert 'matching.depth_range' in same and 'matching.reduce_conv.0.weight' not in same
    checkpoint, out = tmp_path / 'run/epoch_2.pth', tmp_path / 'test'
    assert run_tool('test.py', config, checkpoint, '--work-dir', out) is None
    (scores,) = out.glob('*/*.json')
    scores = json.loads(scores.read_text().splitlines()[-1])
    assert 0 < scores['depth/abs_rel'] != scores['depth/single_frame/abs_rel'] > 0
    (log,) = out.glob('*/*.log')
    assert '  single_frame\n' in log.read_text()
    images = next(toy_kitti.glob('*/*/image_02/data'))
    infer = ('infer_depth.py', images, tmp_path / 'depth', '--config', config)
    infer += ('--checkpoint', checkpoint)
    assert 'expected intrinsics' in run_tool(*infer)
    # trained with the motion in the data, which a folder of images has not
    assert 'expected the motion' in run_tool(*infer, '--intrinsics', 100, 100, 80, 24)
    assert run_tool(*infer, '--frames', 0) is None


@pytest.mark.slow
def test_the_hybrid_student_of_manydepth(toy_kitti, truth, tmp_path):
    """Trained, tested and run on a folder of images."""
    data = f"dict(data_root='{toy_kitti}/')"
    config = write_config(tmp_path, 'manydepth_hybrid_toy', data, truth=truth)
    scores, checkpoint = train_and_test(config, tmp_path / 'run')
    assert 0 < scores['depth/abs_rel'] != scores['depth/single_frame/abs_rel'] > 0
    assert any(key.startswith('encoder.language.') for key in checkpoint['state_dict'])
    images = next(toy_kitti.glob('*/*/image_02/data'))
    infer = ('infer_depth.py', images, tmp_path / 'depth', '--config', config, '--checkpoint')
    assert run_tool(*infer, tmp_path / 'run/epoch_1.pth', '--frames', 0) is None
    listed = json.loads((tmp_path / 'depth/manifest.json').read_text())['files']
    assert [file['frames'] for file in listed] == [[0]] * len(listed) != []


def test_stage_1_then_stage_2(toy_kitti, truth, stage1, tmp_path):
    data = f"dict(data_root='{toy_kitti}/')"
    config = write_config(tmp_path, 'monodepth2_hybrid_toy', data, truth=truth)
    start = f'model.init_cfg.checkpoint={stage1}'
    show = ('--show-dir', tmp_path / 'visualizations')
    scores, checkpoint = train_and_test(config, tmp_path / 'run', '--cfg-options', start, show=show)
    assert len(list(tmp_path.glob('visualizations/color/*.png'))) == len(list(truth.glob('*.npz')))
    assert 0 < scores['depth/abs_rel'] < 5
    before, after = (line.split() for line in learning_table(tmp_path / 'run').splitlines()[1:])
    assert (before[0], after[0]) == ('0', '1') and after[2] == f'{scores["depth/abs_rel"]:.4f}'
    began, state = load_checkpoint_file(stage1)['state_dict'], checkpoint['state_dict']
    for tower in ('clip.visual.conv1', 'dino.vit.patch_embed.proj'):
        name = f'encoder.{tower}.weight'  # changes by 1e-4 at most in two steps of warm-up
        assert torch.allclose(state[name], began[name], atol=1e-3), name


def test_stage_1_on_ground_rows(toy_kitti, tmp_path):
    config = write_config(tmp_path, 'hybrid_stage1_ground_toy', f"dict(data_root='{toy_kitti}/')")
    scores, _ = train_and_test(config, tmp_path / 'run')
    assert scores['patches/lines'] == 3 * 4


def test_stage_2_without_a_stage_1_checkpoint(toy_kitti, truth, tmp_path):
    data = f"dict(data_root='{toy_kitti}/')"
    config = write_config(tmp_path, 'monodepth2_hybrid_toy', data, truth=truth)
    start = f'model.init_cfg.checkpoint={tmp_path}/none.pth'
    error = run_tool('train.py', config, '--work-dir', tmp_path, '--cfg-options', start)
    assert 'Train stage 1 first' in error
