"""Two processes over gloo, or two accumulated batches, train as one of the same global batch."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

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
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1),
    accumulative_counts={accumulated},
)
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=1000))
log_processor = dict(by_epoch=False)
custom_hooks = [dict(type='LossLogHook')]
"""


def train(folder, data, launcher: str | None = None, accumulated: int = 1) -> np.ndarray:
    """Loss of every iteration of a global batch of four, mean over processes or batches."""
    folder.mkdir()
    config, processes = folder / 'config.py', 2 if launcher else 1
    values = dict(root=ROOT, data=data, batch=4 // processes // accumulated)
    values |= dict(iterations=ITERATIONS * accumulated, accumulated=accumulated)
    config.write_text(CONFIG.format(**values))
    python = [sys.executable]
    if launcher == 'pytorch':
        python += '-m torch.distributed.run --standalone --nproc_per_node 2'.split()
    command = [*python, 'tools/train.py', config, '--work-dir', folder]
    command += ['--launcher', launcher] if launcher else []
    env = dict(
        os.environ,
        OMP_NUM_THREADS='1',
        PYTHONPATH=os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')]),
    )
    tasks = [{}]
    if launcher == 'slurm':  # as srun sets them, which starts one process a task
        env |= dict(SLURM_NTASKS='2', SLURM_NODELIST='localhost', MASTER_PORT=str(free_port()))
        tasks = [dict(SLURM_PROCID=str(i), SLURM_LOCALID=str(i)) for i in range(2)]
    running = [
        subprocess.Popen(command, cwd=ROOT, env=env | task, stderr=subprocess.PIPE, text=True)
        for task in tasks
    ]
    errors = [process.communicate()[1] for process in running]
    assert not any(process.returncode for process in running), '\n'.join(errors)[-3000:]
    files = [folder / f'loss_{rank}.json' for rank in range(processes)]
    losses = np.mean([json.loads(file.read_text()) for file in files], 0)
    return losses.reshape(ITERATIONS, accumulated).mean(1)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(('localhost', 0))
        return found.getsockname()[1]


@pytest.fixture(scope='module')
def alone(toy_kitti, tmp_path_factory):
    losses = train(tmp_path_factory.mktemp('ddp') / 'one', toy_kitti)
    assert len(losses) == ITERATIONS
    assert losses[0] - losses[-1] > 5e-3, 'the loss has not decreased'
    return losses


@pytest.mark.parametrize(
    'options',
    [
        dict(launcher='pytorch'),
        pytest.param(dict(launcher='slurm'), marks=pytest.mark.slow),
        dict(accumulated=2),
    ],
    ids=str,
)
def test_trains_as_one(alone, toy_kitti, tmp_path, options):
    np.testing.assert_allclose(train(tmp_path / 'run', toy_kitti, **options), alone, atol=1e-4)
