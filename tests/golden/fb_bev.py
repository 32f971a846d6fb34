"""Reading the FB-BEV golden vectors (docs/reference/golden.md, "FB-BEV")."""

import torch

from hybrid_depth.geometry import CameraRig
from tests.golden.reader import Golden

GRID = dict(x=(-40.0, 40.0, 0.8), y=(-40.0, 40.0, 0.8), z=(-1.0, 5.4, 0.8), rounding='trunc')
DEPTH_BINS = dict(start=2.0, stop=42.0, step=0.5, anchor='lower')
IMAGE_SIZE = (256, 704)
CHANNELS = 80
FORWARD = Golden('fb_bev_forward')


def fb_rig(view: str) -> CameraRig:
    """The stored float32 matrices of the real keyframe, view ``test`` or ``aug``."""
    cam2ego = torch.eye(4).repeat(6, 1, 1)
    cam2ego[:, :3, :3], cam2ego[:, :3, 3] = FORWARD[f'{view}.rots'], FORWARD[f'{view}.trans']
    img_aug = torch.eye(3).repeat(6, 1, 1)
    img_aug[:, :2, :2] = FORWARD[f'{view}.post_rots'][:, :2, :2]
    img_aug[:, :2, 2] = FORWARD[f'{view}.post_trans'][:, :2]
    bda = torch.eye(4)
    bda[:3, :3] = FORWARD[f'{view}.bda']
    return CameraRig(
        cam2img=FORWARD[f'{view}.intrinsics'][None],
        cam2ego=cam2ego[None],
        img_aug=img_aug[None],
        bda=bda[None],
        ego2global=torch.eye(4)[None],
    )
