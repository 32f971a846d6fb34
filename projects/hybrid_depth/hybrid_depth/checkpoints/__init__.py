"""Checkpoint files: safe reading, and converters for official releases."""

from .safe_load import UnsafeCheckpointError, install, load_checkpoint_file

__all__ = ['UnsafeCheckpointError', 'install', 'load_checkpoint_file']
