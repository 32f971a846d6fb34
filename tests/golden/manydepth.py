"""Reading the ManyDepth golden vectors (docs/reference/golden.md, "ManyDepth").

Sizes and draws are those that the files were made with (`meta`); weights, frames and cameras follow
Monodepth2's recipe.
"""

import json

import torch
from torch import Tensor

from hybrid_depth.geometry.poses import Motion
from hybrid_depth.geometry.rigid import invert_rigid
from tests.golden import recipe
from tests.golden.monodepth2 import augmented, cam2img
from tests.golden.reader import Golden

__all__ = ['augmented', 'cam2img', 'frames', 'image', 'lookup_poses', 'meta', 'values']


def meta(golden: Golden) -> dict:
    """Parameters of the recipe of a file."""
    return json.loads(str(golden.array('meta')))


def image(name: str, shape: tuple[int, ...]) -> Tensor:
    """A smooth image of the recipe."""
    return recipe.image(f'manydepth.{name}', shape)


def values(name: str, shape: tuple[int, ...]) -> Tensor:
    """Standard normal numbers of the recipe."""
    return 10 * recipe.tensor(f'manydepth.{name}.values', shape)


def frames(size: tuple[int, int, int], ids: tuple[int, ...] = (0, -1, 1)) -> dict[int, Tensor]:
    """Frames by id, each showing the scene 12 pixels further left than the one before."""
    batch, rows, columns = size
    small = tuple(meta(Golden('manydepth_variants'))['small'])
    wide = image('small' if size == small else 'frames', (batch, 3, rows, columns + 48))
    return {i: wide[..., 24 + 12 * i : 24 + 12 * i + columns] for i in ids}


def lookup_poses(batch: int) -> Tensor:
    """(B, 2, 4, 4) poses of the encoder's cases: inverted motions."""
    motion = Motion(
        0.01 * values('pose.axisangle', (2 * batch, 1, 3))[:, 0],
        0.06 * values('pose.translation', (2 * batch, 1, 3))[:, 0],
    )
    return torch.stack(invert_rigid(motion.matrix()).split(batch), 1)
