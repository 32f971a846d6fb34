"""Reading the Monodepth2 golden vectors (docs/reference/golden.md, "Monodepth2")."""

import torch
from torch import Tensor, nn

from tests.golden import recipe

_RECIPE = recipe.RECIPE['monodepth2']
SIZE, SMALL = tuple(_RECIPE['size']), tuple(_RECIPE['small'])  # batch, rows, columns
DRIVE, FRAMES = _RECIPE['drive'], tuple(_RECIPE['frames'])
RELEASE = _RECIPE['release']


def image(name: str, shape: tuple[int, ...]) -> Tensor:
    """A smooth image of the recipe."""
    return recipe.image(f'monodepth2.{name}', shape)


def values(name: str, shape: tuple[int, ...]) -> Tensor:
    """Standard normal numbers of the recipe."""
    return 10 * recipe.tensor(f'monodepth2.{name}.values', shape)


def frames(size: tuple[int, int, int], ids: tuple[int, ...] = (0, -1, 1)) -> dict[int, Tensor]:
    """Frames by id, each shifted 12 pixels to the left of the previous one."""
    batch, rows, columns = size
    wide = image('small' if size == SMALL else 'frames', (batch, 3, rows, columns + 48))
    return {i: wide[..., 24 + 12 * i : 24 + 12 * i + columns] for i in ids}


def augmented(images: dict) -> dict:
    """The recipe's colour-augmented copies."""
    return {i: 0.9 * image + 0.05 for i, image in images.items()}


def cam2img(size: tuple[int, int, int]) -> Tensor:
    """Monodepth2's fixed KITTI intrinsics, (B, 3, 3) pixels."""
    batch, rows, columns = size
    matrix = torch.tensor([[0.58, 0, 0.5], [0, 1.92, 0.5], [0, 0, 1]])
    matrix[0] *= columns
    matrix[1] *= rows
    return matrix.repeat(batch, 1, 1)


def load(module: nn.Module, name: str) -> nn.Module:
    """Fill a module with the recipe's weights of an official module, strictly; eval mode."""
    return recipe.load(module, f'{name}.')


def official_keys(part: str) -> dict[str, list[int]]:
    """Key -> shape of one file of a released folder."""
    return recipe.shapes('monodepth2_keys')[part]
