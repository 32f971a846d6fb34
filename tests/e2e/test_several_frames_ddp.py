"""Models of several frames on two processes over gloo: parameters without gradient are expected."""

import os
import subprocess
import sys

import pytest
import torch

from hybrid_depth.checkpoints import load_checkpoint_file
from tests.conftest import ROOT

CONFIG = """
_base_ = '{root}/configs/toy/{name}.py'
model = dict({model})
train_dataloader = dict(batch_size=1, num_workers=0, dataset=dict(data_root='{data}/'))
val_cfg = val_dataloader = val_evaluator = None
train_cfg = dict(max_epochs=2, val_interval=10)
"""
MODELS = dict(
    manydepth_r18_toy='',
    mono_vifi_r18_toy='interpolation=dict(pretrained=None), init_cfg=None',
)


@pytest.mark.slow
@pytest.mark.parametrize('name', MODELS)
def test_two_processes(toy_kitti, tmp_path, name):
    """ManyDepth's teacher is frozen after the first epoch and gets no gradient from then on."""
    config = tmp_path / 'config.py'
    text = CONFIG.format(root=ROOT, name=name, model=MODELS[name], data=toy_kitti)
    frozen = 'default_hooks = dict(freeze_teacher=dict(epoch=1))\n' if 'many' in name else ''
    config.write_text(text + frozen)
    launch = '-m torch.distributed.run --standalone --nproc_per_node 2 tools/train.py'.split()
    command = [sys.executable, *launch, config, '--launcher', 'pytorch', '--work-dir', tmp_path]
    env = dict(os.environ, OMP_NUM_THREADS='1')
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    first, last = (load_checkpoint_file(tmp_path / f'epoch_{i}.pth')['state_dict'] for i in (1, 2))
    kept = {key for key in last if torch.equal(first[key], last[key])}
    parts = {key.split('.')[0] for key in set(last) - kept}
    frozen = {'interpolation', 'test_interpolation'}
    if name == 'manydepth_r18_toy':
        frozen = {'teacher'}
    assert not parts & frozen and {'encoder', 'decoder'} <= parts
