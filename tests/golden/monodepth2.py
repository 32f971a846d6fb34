"""Reading the Monodepth2 golden vectors (docs/reference/golden.md, "Monodepth2")."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tests.golden import weights

DATA = Path(__file__).parent / 'data'
SIZE, SMALL = (1, 192, 640), (2, 96, 320)


class Golden:
    """One npz file; large arrays are stored as every n-th value with the statistics of all."""

    def __init__(self, part: str) -> None:
        self.arrays = np.load(DATA / f'monodepth2_{part}.npz')

    def __getitem__(self, name: str) -> Tensor:
        return torch.from_numpy(np.asarray(self.arrays[name]))

    def error(self, name: str, value: Tensor) -> float:
        """Largest difference over the stored part, divided by the largest absolute value."""
        value = value.detach().double().numpy()
        if f'{name}.slice' not in self.arrays:
            stored = self.arrays[name]
            assert value.shape == stored.shape, (name, value.shape, stored.shape)
            return float(np.abs(value - stored).max() / np.abs(stored).max())
        assert list(value.shape) == self.arrays[f'{name}.shape'].tolist(), (name, value.shape)
        mean, deviation, largest = self.arrays[f'{name}.stats']
        part = value.reshape(-1)[:: int(self.arrays[f'{name}.step'])]
        errors = [
            np.abs(part - self.arrays[f'{name}.slice']).max(),
            abs(value.mean() - mean),
            abs(value.std() - deviation),
        ]
        return float(max(errors) / largest)

    def check(self, name: str, value: Tensor, limit: float) -> None:
        """Assert that `value` is the array of that name."""
        error = self.error(name, value)
        assert error <= limit, f'{name}: {error:.2e} of the largest value, limit {limit}'


def image(name: str, shape: tuple[int, ...]) -> Tensor:
    """A smooth picture of the recipe."""
    return torch.from_numpy(weights.image(f'monodepth2.{name}', shape))


def values(name: str, shape: tuple[int, ...]) -> Tensor:
    """Standard normal numbers of the recipe."""
    return torch.from_numpy(10 * weights.tensor(f'monodepth2.{name}.values', shape))


def frames(size: tuple[int, int, int], ids: tuple[int, ...] = (0, -1, 1)) -> dict[int, Tensor]:
    """Frames by id, each showing the scene 12 pixels further left than the one before."""
    batch, rows, columns = size
    wide = image('small' if size == SMALL else 'frames', (batch, 3, rows, columns + 48))
    return {i: wide[..., 24 + 12 * i : 24 + 12 * i + columns] for i in ids}


def augmented(pictures: dict) -> dict:
    """The recipe's colour-augmented copies."""
    return {i: 0.9 * picture + 0.05 for i, picture in pictures.items()}


def cam2img(size: tuple[int, int, int]) -> Tensor:
    """Monodepth2's fixed KITTI intrinsics, (B, 3, 3) pixels."""
    batch, rows, columns = size
    matrix = torch.tensor([[0.58, 0, 0.5], [0, 1.92, 0.5], [0, 0, 1]])
    matrix[0] *= columns
    matrix[1] *= rows
    return matrix.repeat(batch, 1, 1)


def load(module: nn.Module, name: str) -> nn.Module:
    """Fill a module with the recipe's weights of an official module, strictly; eval mode."""
    state = {
        key: torch.from_numpy(np.asarray(weights.tensor(f'{name}.{key}', tuple(value.shape))))
        for key, value in module.state_dict().items()
    }
    module.load_state_dict(state)
    return module.eval()


def official_keys(part: str) -> dict[str, list[int]]:
    """Key -> shape of one file of a released folder."""
    return json.loads((DATA / 'monodepth2_keys.json').read_text())[part]
