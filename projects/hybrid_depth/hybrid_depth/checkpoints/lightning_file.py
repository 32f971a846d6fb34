"""Weights of Lightning checkpoints, read without Lightning.

A Lightning checkpoint contains the run's settings beside its weights, often as OmegaConf objects.
Neither library is imported: their objects are read as empty stand-ins.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

from .safe_load import UnsafeCheckpointError, load_checkpoint_file

# Packages of the objects that Lightning and OmegaConf save in a checkpoint.
_PACKAGES = (
    'argparse',
    'enum',
    'lightning',
    'lightning_fabric',
    'omegaconf',
    'operator',
    '_operator',
    'pathlib',
    'pytorch_lightning',
    'torchmetrics',
    'typing',
)
_BUILTIN_TYPES = ('bool', 'bytes', 'dict', 'float', 'int', 'list', 'object', 'str', 'tuple', 'type')


class StandIn:
    """Empty placeholder for an object of any class."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def _dictionary(*_: Any) -> OrderedDict:
    """Stand-in for `defaultdict`, whose argument is a callable."""
    return OrderedDict()


def _stand_in(name: str) -> Any:
    """Replacement for a global name in a file, or None if the name is not allowed."""
    package, _, rest = name.partition('.')
    if name == 'collections.defaultdict':
        return _dictionary
    if package == 'builtins':
        return StandIn if rest in _BUILTIN_TYPES else None
    return StandIn if package in _PACKAGES else None


def load_lightning_file(path: str | Path) -> dict:
    """Read a Lightning checkpoint without running code in it, and without Lightning or OmegaConf.

    Tensors, numbers and text are returned unchanged, objects of the packages above as `StandIn`.

    Args:
        path: file written by Lightning or by `torch.save`.

    Raises:
        FileNotFoundError: the file does not exist.
        UnsafeCheckpointError: the file names anything else, such as a function.
        RuntimeError: the file is damaged.
    """
    path = Path(path).expanduser()
    if not path.is_file() or not zipfile.is_zipfile(path):
        return load_checkpoint_file(path)
    found = {name: _stand_in(name) for name in _unknown_globals(path)}
    foreign = sorted(name for name, stand_in in found.items() if stand_in is None)
    if foreign:
        raise UnsafeCheckpointError(
            f'{path}: expected weights and the settings of a Lightning run, got a file that also '
            f'names {", ".join(foreign)}. Loading it could run code, so it was not loaded. Do not '
            'use files that you do not trust.'
        )
    with torch.serialization.safe_globals([(new, name) for name, new in found.items()]):
        return load_checkpoint_file(path)


def _unknown_globals(path: Path) -> list[str]:
    try:
        return torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except (ValueError, RuntimeError, EOFError, pickle.UnpicklingError):
        # Damaged, or a TorchScript program: load_checkpoint_file reports it.
        return []
