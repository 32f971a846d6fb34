"""Reading the FB-BEV golden vectors (docs/reference/golden.md, "FB-BEV")."""

from dataclasses import replace

import torch

from hybrid_depth.bev.depth_nets.camera_aware import CameraAwareDepthNet
from hybrid_depth.bev.parts import BEVSpace
from hybrid_depth.geometry import CameraRig, DepthBins, VoxelGrid
from tests.golden import recipe
from tests.golden.reader import Golden

IMAGE_SIZE = (256, 704)
CHANNELS = 80
SPACE = BEVSpace(
    VoxelGrid((-40.0, 40.0, 0.8), (-40.0, 40.0, 0.8), (-1.0, 5.4, 0.8), rounding='trunc'),
    DepthBins(start=2.0, stop=42.0, step=0.5, anchor='lower'),
    IMAGE_SIZE,
    CHANNELS,
)
ANCHOR_HEIGHTS = (-1.0, 5.4, 1.6)
PREFIX = 'backward_projection.'
LAYERS = 'transformer.encoder.'  # prefix of the layers in the published code
FORWARD, DEPTH = Golden('fb_bev_forward'), Golden('fb_bev_depth')


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


def published_rig(view: str) -> CameraRig:
    """Rig with images shifted by half a pixel: the published code divides pixel indices by the
    image size, without the half-pixel offset of pixel centres."""
    rig = fb_rig(view)
    img_aug = rig.img_aug.clone()
    img_aug[..., :2, 2] -= 0.5
    return replace(rig, img_aug=img_aug)


def load_published(module: torch.nn.Module, prefix: str) -> torch.nn.Module:
    """Weights by the published names; eval mode."""
    state = module.state_dict()
    names = {key: LAYERS + key if key.startswith('layers.') else key for key in state}
    module.load_state_dict(
        {key: recipe.tensor(prefix + names[key], value.shape) for key, value in state.items()}
    )
    return module.eval()


def depth_net() -> CameraAwareDepthNet:
    """Depth net with the stored statistics of camera parameters."""
    net = CameraAwareDepthNet(256, CHANNELS, SPACE.bins, 512, 512)
    recipe.load(net, 'depth_net.')
    net.bn.running_mean.copy_(DEPTH['override.running_mean'])
    net.bn.running_var.copy_(DEPTH['override.running_var'])
    return net
