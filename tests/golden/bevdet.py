"""Inputs of the BEVDet golden vectors (recipe: shared/golden/bevdet.md)."""

from pathlib import Path

import torch

from hybrid_depth.geometry import CameraRig
from tests.golden import recipe
from tests.golden.reader import Golden

CAMERAS = ('FRONT_LEFT', 'FRONT', 'FRONT_RIGHT', 'BACK_LEFT', 'BACK', 'BACK_RIGHT')
GEOMETRY = Golden('bevdet_geometry')


def keyframe(real_data: Path) -> Path:
    """nuScenes root of the recipe's keyframe."""
    return real_data / recipe.RECIPE['bevdet']['keyframe']


def feature(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Standard normal input of the recipe."""
    return 10 * recipe.tensor(f'input.{name}', shape)


def official_rig(view: str) -> CameraRig:
    """The stored float32 matrices of the real keyframe, view ``test`` or ``aug``."""
    img_aug = torch.eye(3).repeat(6, 1, 1)
    img_aug[:, :2, :2] = GEOMETRY[f'{view}.post_rot'][:, :2, :2]
    img_aug[:, :2, 2] = GEOMETRY[f'{view}.post_tran'][:, :2]
    bda = torch.eye(4)
    bda[:3, :3] = GEOMETRY[f'{view}.bda']
    return CameraRig(
        cam2img=GEOMETRY[f'{view}.intrinsics'][None],
        cam2ego=GEOMETRY[f'{view}.sensor2keyego'][None],
        img_aug=img_aug[None],
        bda=bda[None],
        ego2global=torch.eye(4)[None],
    )
