"""Training on two processes over gloo equals one process with the same global batch."""

import json
import os
import subprocess
import sys

import numpy as np

from tests.conftest import ROOT

ITERATIONS = 20
# No batch norm, whose statistics are per process; no augmentation, whose random numbers are too;
# no random tie-break in the auto-mask. SGD, as Adam divides gradients near zero by their
# magnitude, which amplifies rounding: with it the losses differ by 1e-3 after ten steps.
CONFIG = """
_base_ = '{root}/configs/toy/monodepth2_r18_toy.py'
custom_imports = dict(imports=['hybrid_depth.modules', 'tests.e2e.loss_log'])
model = dict(
    encoder=dict(_delete_=True, type='TimmDepthEncoder', name='convnext_atto'),
    pose_net=dict(_delete_=True, type='PoseCNN'),
    sources=(-1, 1),
    decoder=dict(start=None),
    channels_last=False,
    tie_break=0.0,
)
train_dataloader = dict(
    batch_size={batch},
    num_workers=0,
    dataset=dict(
        _delete_=True,
        type='RepeatDataset',
        times=20,
        dataset=dict(
            type='KittiRawDataset',
            data_root='{data}',
            split='splits/toy/train_files.txt',
            pipeline=[
                dict(type='LoadFrames'),
                dict(type='ResizeFrames', size=(128, 64)),
                dict(type='PackFrames'),
            ],
        ),
    ),
)
val_cfg = val_dataloader = val_evaluator = None
train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters={iterations})
param_scheduler = []
optim_wrapper = dict(_delete_=True, type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=1000))
log_processor = dict(by_epoch=False)
custom_hooks = [dict(type='LossLogHook')]
"""


def train(folder, data, processes: int) -> np.ndarray:
    """Loss of every iteration at a global batch of four, mean over the processes."""
    folder.mkdir()
    config = folder / 'config.py'
    batch = 4 // processes
    config.write_text(CONFIG.format(root=ROOT, data=data, batch=batch, iterations=ITERATIONS))
    launch = [sys.executable]
    if processes > 1:
        launch += '-m torch.distributed.run --standalone --nproc_per_node'.split()
        launch += [str(processes)]
    command = [*launch, 'tools/train.py', config, '--work-dir', folder]
    if processes > 1:
        command += ['--launcher', 'pytorch']
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(ROOT))
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    files = [folder / f'loss_{rank}.json' for rank in range(processes)]
    return np.mean([json.loads(file.read_text()) for file in files], 0)


def test_two_processes_train_as_one(toy_kitti, tmp_path):
    alone = train(tmp_path / 'one', toy_kitti, 1)
    together = train(tmp_path / 'two', toy_kitti, 2)
    assert len(alone) == ITERATIONS
    assert alone[0] - alone[-1] > 5e-3, 'the loss has not decreased'
    np.testing.assert_allclose(together, alone, atol=1e-4)
