"""Training hooks: seeding, NaN guard, checkpoints, progress bars, visualization."""

from .checkpoint_fit import ChannelOrderHook, InitialWeightsHook, StrictLoadHook
from .checkpointing import AtomicCheckpointHook, AtomicLocalBackend
from .fold import FoldBatchNormHook
from .nan_guard import NaNGuardHook
from .progress import ProgressBarHook
from .seeding import EpochSeedHook
from .validate_first import ValidateFirstHook
from .visualization_window import VisualizationWindowHook

__all__ = [
    'AtomicCheckpointHook',
    'AtomicLocalBackend',
    'ChannelOrderHook',
    'EpochSeedHook',
    'FoldBatchNormHook',
    'InitialWeightsHook',
    'NaNGuardHook',
    'VisualizationWindowHook',
    'ProgressBarHook',
    'StrictLoadHook',
    'ValidateFirstHook',
]
