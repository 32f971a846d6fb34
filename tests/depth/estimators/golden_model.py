"""Monodepth2 with the golden recipe's weights, and its inputs."""

import torch
from mmengine.registry import MODELS
from torch import Tensor, nn

from hybrid_depth.depth.estimators import Monodepth2
from tests.golden.monodepth2 import augmented, cam2img, frames, load

R18 = dict(
    type='Monodepth2',
    encoder=dict(type='ResNetDepthEncoder', depth=18),
    decoder=dict(type='Monodepth2Decoder'),
    pose_net=dict(type='ResNetPoseNet', depth=18),
    tie_break=0.0,
)


def official_modules(model: Monodepth2) -> dict[str, nn.Module]:
    """The model's parts under the names of the official files."""
    modules = dict(encoder=model.encoder, depth=model.decoder)
    if hasattr(model.pose_net, 'encoder'):
        modules['pose_encoder'] = model.pose_net.encoder
    if model.pose_net is not None:
        modules['pose'] = getattr(model.pose_net, 'decoder', model.pose_net)
    return modules


def build(**changes) -> Monodepth2:
    """The model in training mode."""
    model = MODELS.build({**R18, **changes})
    for name, module in official_modules(model).items():
        load(module, name)
    return model.train()


def make_inputs(size: tuple[int, int, int], stereo: bool = False) -> dict:
    """Frames -1, 0, +1 of the recipe, frame 2 as the other camera."""
    images = frames(size, (0, -1, 1, 2) if stereo else (0, -1, 1))
    inputs = dict(cam2img=cam2img(size))
    if stereo:
        images['s'] = images.pop(2)
        inputs['transforms'] = dict(s=torch.eye(4).repeat(size[0], 1, 1))
        inputs['transforms']['s'][:, 0, 3] = -0.1
    return dict(inputs, images=images, augmented=augmented(images))


def record_motions(model: Monodepth2) -> list[Tensor]:
    """List of (B, motions, 6) axis-angle and translation, one per pass of the pose net."""
    motions, net = [], model.pose_net
    if hasattr(net, 'decoder'):
        net.decoder.register_forward_hook(lambda _, __, out: motions.append(out))
    elif net is not None:
        net.register_forward_hook(
            lambda _, __, out: motions.append(
                torch.cat([out.axis_angle, out.translation], 1).unsqueeze(1)
            )
        )
    return motions


def gradient_norm(module: nn.Module) -> Tensor:
    """L2 norm over all parameters of a module."""
    return torch.stack([p.grad.double().norm() for p in module.parameters()]).norm()
