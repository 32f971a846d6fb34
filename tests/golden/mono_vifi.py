"""Reading the Mono-ViFI golden vectors (docs/reference/golden.md, "Mono-ViFI").

Sizes and draws are those that the files were made with (`meta`); weights and cameras follow
Monodepth2's recipe.
"""

from torch import Tensor, nn

from tests.golden import recipe
from tests.golden.manydepth import meta
from tests.golden.monodepth2 import augmented, cam2img
from tests.golden.reader import Golden

__all__ = ['augmented', 'cam2img', 'flow', 'frames', 'image', 'load', 'meta', 'values']


def image(name: str, shape: tuple[int, ...]) -> Tensor:
    """A smooth image of the recipe."""
    return recipe.image(f'mono_vifi.{name}', shape)


def values(name: str, shape: tuple[int, ...]) -> Tensor:
    """Standard normal numbers of the recipe."""
    return 10 * recipe.tensor(f'mono_vifi.{name}.values', shape)


def frames(name: str, size: tuple[int, int, int], ids: tuple[int, ...] = (0, -1, 1)) -> dict:
    """Frames by id, each showing the scene 12 pixels further left than the one before."""
    batch, rows, columns = size
    wide = image(name, (batch, 3, rows, columns + 48))
    return {i: wide[..., 24 + 12 * i : 24 + 12 * i + columns] for i in ids}


def flow(name: str, size: tuple[int, int, int]) -> Tensor:
    """(B, 2, H, W) flow of the recipe, up to 6 pixels."""
    batch, rows, columns = size
    return 12 * (image(name, (batch, 3, rows, columns))[:, :2] - 0.5)


def load(module: nn.Module, name: str) -> nn.Module:
    """Fill a module with the recipe's weights of an official module, strictly; eval mode."""
    return recipe.load(module, f'{name}.')


def sizes(golden: Golden) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """The usual size and the small one: batch, rows, columns."""
    return tuple(meta(golden)['size']), tuple(meta(golden)['small'])
