"""Reading the BEVDet golden vectors (docs/reference/golden.md, "BEVDet")."""

import json
from pathlib import Path

import numpy as np
import torch

from hybrid_depth.geometry import CameraRig
from tests.golden import weights

DATA = Path(__file__).parent / 'data'


class Golden:
    """One npz file; arrays are stored strided, ``close`` compares against the stored part."""

    def __init__(self, name: str, family: str = 'bevdet'):
        self.arrays = np.load(DATA / f'{family}_{name}.npz')
        self.rules = json.loads(str(self.arrays['rules'])) if 'rules' in self.arrays else {}

    def __getitem__(self, key: str) -> torch.Tensor:
        return torch.from_numpy(self.arrays[key])

    def error(self, key: str, value: torch.Tensor) -> float:
        """Largest difference over the stored part, divided by the absmax of the whole array."""
        return float(self.errors(key, value).max())

    def errors(self, key: str, value: torch.Tensor) -> np.ndarray:
        """Differences over the stored part, divided by the absmax of the whole array."""
        stored = self.arrays[key]
        value = value.detach().cpu().numpy()
        if key in self.rules:
            rule = self.rules[key]
            assert list(value.shape) == rule['shape'], (key, value.shape, rule['shape'])
            value = value[tuple(slice(None, None, step) for step in rule['steps'])]
        assert value.shape == stored.shape, (key, value.shape, stored.shape)
        scale = np.abs(stored).max()
        if f'{key}|stats' in self.arrays:
            scale = self.arrays[f'{key}|stats'][2]
        return np.abs(value - stored) / scale


def feature(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Standard normal input of the recipe."""
    return torch.from_numpy(10 * weights.tensor(f'input.{name}', shape))


def recipe_state(module: torch.nn.Module, prefix: str = '') -> dict[str, torch.Tensor]:
    """Recipe weights for every key of a module that sits at ``prefix`` of the whole model."""
    return {
        key: torch.from_numpy(np.asarray(weights.tensor(prefix + key, tuple(value.shape))))
        for key, value in module.state_dict().items()
    }


def load_recipe(module: torch.nn.Module, prefix: str = '') -> torch.nn.Module:
    """Fill a module with recipe weights, strictly, and put it in eval mode."""
    module.load_state_dict(recipe_state(module, prefix))
    return module.eval()


def official_rig(view: str) -> CameraRig:
    """The stored float32 matrices of the real keyframe, view ``test`` or ``aug``."""
    geometry = Golden('geometry')
    img_aug = torch.eye(3).repeat(6, 1, 1)
    img_aug[:, :2, :2] = geometry[f'{view}.post_rot'][:, :2, :2]
    img_aug[:, :2, 2] = geometry[f'{view}.post_tran'][:, :2]
    bda = torch.eye(4)
    bda[:3, :3] = geometry[f'{view}.bda']
    return CameraRig(
        cam2img=geometry[f'{view}.intrinsics'][None],
        cam2ego=geometry[f'{view}.sensor2keyego'][None],
        img_aug=img_aug[None],
        bda=bda[None],
        ego2global=torch.eye(4)[None],
    )
