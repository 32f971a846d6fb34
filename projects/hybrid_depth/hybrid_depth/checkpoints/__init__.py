"""Checkpoint files: safe reading, and converters for official releases."""

from .safe_load import DamagedCheckpointError, UnsafeCheckpointError, install, load_checkpoint_file

__all__ = [
    'DamagedCheckpointError',
    'UnsafeCheckpointError',
    'install',
    'load_checkpoint_file',
]
