"""Minimal training with all the state that a resume must restore, for an mmengine Runner."""

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, MODELS
from torch import nn
from torch.utils.data import Dataset

CONFIG = """
custom_imports = dict(imports=['hybrid_depth.engine.hooks', 'tests.engine.tiny'])
default_scope = 'mmengine'
model = dict(type='TinyModel')
train_dataloader = dict(
    batch_size=2,
    num_workers={workers},
    dataset=dict(type='NoisyDataset'),
    sampler=dict(type='DefaultSampler', shuffle=True),
)
train_cfg = dict(by_epoch=True, max_epochs=3)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=0.01), clip_grad=dict(max_norm=5))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=5),
    dict(type='MultiStepLR', milestones=[2]),
]
default_hooks = dict(
    checkpoint=dict(type='AtomicCheckpointHook', interval=1),
    epoch_seed=dict(type='EpochSeedHook'),
    nan_guard=dict(type='NaNGuardHook'),
    progress=dict(type='ProgressBarHook'),
)
custom_hooks = [dict(type='EMAHook', ema_type='StochasticWeightAverage', update_buffers=True)]
randomness = dict(seed=3)
"""


@MODELS.register_module()
class TinyModel(BaseModel):
    """Batch norm (buffers), dropout (random in the main process) and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))

    def forward(self, inputs: list, mode: str = 'loss') -> dict:
        return dict(loss_fit=self.net(torch.stack(inputs)).pow(2).mean())


@DATASETS.register_module()
class NoisyDataset(Dataset):
    """Six samples with random augmentation, drawn in the worker."""

    metainfo = dict(classes=['car'], version='tiny')

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> dict:
        return dict(inputs=index + torch.randn(4))


def tiny_config(work_dir: Path, workers: int = 0) -> Config:
    """Config of the classes above for `Runner.from_cfg`."""
    cfg = Config.fromstring(CONFIG.format(workers=workers), file_format='.py')
    cfg.work_dir = str(work_dir)
    return cfg
