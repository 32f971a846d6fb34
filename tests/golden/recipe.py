"""Folder of the golden files, and the random arrays of their recipe.

`HYBRID_DEPTH_GOLDEN` names another folder of the same file names, made with another salt, other
sizes, drive, frames or shift: these are read from the folder's `recipe.json`.
"""

import json
import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tests.golden import weights

FOLDER = Path(os.environ.get('HYBRID_DEPTH_GOLDEN', Path(__file__).parent / 'data')).resolve()
RECIPE = json.loads((FOLDER / 'recipe.json').read_text())
SALT = RECIPE['salt']


def tensor(key: str, shape: tuple[int, ...]) -> Tensor:
    """The recipe's weights of a state-dict entry (or any other array drawn by key)."""
    return torch.from_numpy(np.asarray(weights.tensor(key, tuple(shape), SALT)))


def image(name: str, shape: tuple[int, ...]) -> Tensor:
    """A smooth float32 image of the recipe in [0, 1], (..., 3, H, W)."""
    if SALT:
        name = f'{name}.{SALT}' if name.startswith('hybrid_depth.') else SALT + name
    return torch.from_numpy(weights.image(name, shape))


def load(module: nn.Module, prefix: str = '') -> nn.Module:
    """Load weights strictly into a module at `prefix` of the official model; eval mode."""
    state = module.state_dict()
    module.load_state_dict({key: tensor(prefix + key, v.shape) for key, v in state.items()})
    module.eval()  # mmdet's ResNet.eval() returns None
    return module


def shapes(name: str) -> dict:
    """The official keys and shapes of `<name>.json`."""
    return json.loads((FOLDER / f'{name}.json').read_text())
