"""What happens around training: seeding, guards, checkpoints, progress, and config handling."""

from .checkpointing import AtomicCheckpointHook, AtomicLocalBackend, find_latest_checkpoint
from .depth_first import DepthFirstHook
from .encoder_weights import EncoderWeights
from .mixed_precision import BFloat16OptimWrapper
from .nan_guard import NaNGuardHook
from .picture_window import PictureWindowHook
from .progress import ProgressBarHook
from .seeding import EpochSeedHook, seed_everything, seed_worker
from .sequential_control import SequentialControlHook
from .strict_load import ChannelOrderHook, StrictLoadHook
from .validate_first import ValidateFirstHook

__all__ = [
    'AtomicCheckpointHook',
    'AtomicLocalBackend',
    'BFloat16OptimWrapper',
    'ChannelOrderHook',
    'DepthFirstHook',
    'EncoderWeights',
    'EpochSeedHook',
    'NaNGuardHook',
    'PictureWindowHook',
    'ProgressBarHook',
    'SequentialControlHook',
    'StrictLoadHook',
    'ValidateFirstHook',
    'find_latest_checkpoint',
    'seed_everything',
    'seed_worker',
]
