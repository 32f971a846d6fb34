"""The commands of `make demo` on a toy world of a few frames."""

import json
import subprocess
import sys

import pytest

from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.toy_world import make_toy_world
from tests.conftest import ROOT
from tests.engine.kill_resume import assert_resume_is_exact

# Two training frames at batch 1: two iterations per epoch, one epoch for depth, one for detection.
# With history two parallel scenes, as many iterations. Evaluation is by tools/test.py.
CONFIG = """
_base_ = '{base}'
data_root = '{root}/'
train_dataloader = dict(batch_size={batch}, dataset=dict(dataset=dict(data_root=data_root)))
test_dataloader = dict(num_workers=0, dataset=dict(data_root=data_root))
test_evaluator = dict(data_root=data_root, ann_file=data_root + 'nuscenes_infos_val.pkl')
train_cfg = dict(max_epochs=2)
custom_hooks = [dict(type='DepthFirstHook', epochs=1)]
default_hooks = dict(checkpoint=dict(interval=1){hooks})
"""
HISTORY = ', sequential=dict(start_epoch=1)'


@pytest.mark.parametrize(
    ('base', 'scenes', 'batch', 'hooks'),
    [('bevdet_hybrid_toy', 2, 1, ''), ('fbbev_hybrid_history_toy', 3, 2, HISTORY)],
)
def test_killed_resumed_trained_and_tested(base, scenes, batch, hooks, tmp_path):
    root = make_toy_world(tmp_path / 'world', scenes, 2, size=(128, 72), workers=1)
    create_nuscenes_infos(root, 'v1.0-mini')
    config = tmp_path / 'small.py'
    base = ROOT / 'configs' / 'toy' / f'{base}.py'
    config.write_text(CONFIG.format(base=base, root=root, batch=batch, hooks=hooks))
    assert_resume_is_exact(config, tmp_path, kill_at_iter=3, last='epoch_2.pth')

    out = tmp_path / 'tested'
    command = [ROOT / 'tools' / 'test.py', config, tmp_path / 'broken' / 'epoch_2.pth']
    options = ['--work-dir', out, '--show-dir', out / 'visualizations']
    subprocess.run([sys.executable, *map(str, [*command, *options])], cwd=ROOT, check=True)
    scores = json.loads((out / 'metrics.json').read_text())
    assert 0 <= scores['mAP'] <= 1 and 0 <= scores['NDS'] <= 1
    assert scores['depth']['cells'] > 0 and scores['depth']['abs_rel'] > 0
    assert len(list((out / 'visualizations').rglob('*.png'))) == 2
    # the channel order of training is in its checkpoints, so the test rejects another one
    bgr = ['--cfg-options', 'model.img_backbone.channel_order=bgr']
    refused = subprocess.run(
        [sys.executable, *map(str, [*command, *bgr])], cwd=ROOT, capture_output=True, text=True
    )
    assert "expected a backbone with channel_order 'rgb'" in refused.stderr
