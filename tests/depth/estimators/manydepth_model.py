"""ManyDepth as released, with the golden recipe's weights, and its inputs."""

from copy import deepcopy

import torch
from mmengine.registry import MODELS
from torch import Tensor

from hybrid_depth.depth.estimators import ManyDepth
from hybrid_depth.releases.manydepth_keys import FILES, convert_manydepth_folder
from tests.golden import recipe
from tests.golden.manydepth import augmented, cam2img, frames

RESNET, DECODER = dict(type='ResNetDepthEncoder', depth=18), dict(type='Monodepth2Decoder')
R18 = dict(
    type='ManyDepth',
    encoder=RESNET,
    decoder=DECODER,
    cost_volume=dict(prematching_conv=True),
    teacher=dict(
        type='Monodepth2',
        encoder=RESNET,
        decoder=DECODER,
        pose_net=dict(type='ResNetPoseNet', depth=18),
        masked_mean=True,
        tie_break=0.0,
    ),
)


def official_weights(num_bins: int = 96, depth_range: tuple = (0.1, 10.0)) -> dict[str, dict]:
    """The recipe's weights for the files of a released folder."""
    files = {}
    for file in FILES:
        shapes = recipe.shapes('manydepth_keys')[file]
        if file == 'encoder.pth':
            shapes['reduce_conv.0.weight'][1] = 64 + num_bins
        part = file.removesuffix('.pth')
        files[file] = {
            key: recipe.tensor(f'{part}.{key}', shape)
            for key, shape in shapes.items()
            if not key.startswith('backprojector.')
        }
    files['encoder.pth'] |= dict(
        height=192, width=640, min_depth_bin=depth_range[0], max_depth_bin=depth_range[1]
    )
    return files


def build(depth_range: tuple = (0.1, 10.0), teacher: dict | None = None, **changes) -> ManyDepth:
    """The model in training mode; `teacher` are changes of its options."""
    cfg = deepcopy({**R18, **changes})
    cfg['teacher'] |= teacher or {}
    cfg['cost_volume'] = {**R18['cost_volume'], **cfg['cost_volume']}
    model = MODELS.build(cfg)
    official = official_weights(model.matching.num_bins, depth_range)
    model.load_state_dict(convert_manydepth_folder(official, prematching_conv=True)[0])
    return model.train()


def with_draws(model: ManyDepth, draws: list[float]) -> ManyDepth:
    """The model, whose items are augmented as these draws say."""
    model.draw = lambda count: torch.tensor(draws)[:count]
    return model


def make_inputs(size: tuple[int, int, int], ids: tuple[int, ...] = (0, -1, 1)) -> dict:
    """Inputs of a training step."""
    images = frames(size, ids)
    return dict(images=images, augmented=augmented(images), cam2img=cam2img(size))


def official_modules(model: ManyDepth) -> dict[str, list[torch.nn.Module]]:
    """The model's parts under the names of the official files."""
    teacher = model.teacher
    return dict(
        encoder=[model.encoder, model.matching],
        depth=[model.decoder],
        mono_encoder=[teacher.encoder],
        mono_depth=[teacher.decoder],
        pose_encoder=[teacher.pose_net.encoder],
        pose=[teacher.pose_net.decoder],
    )


def gradient_norm(modules: list[torch.nn.Module]) -> Tensor:
    """L2 norm over all parameters that have a gradient."""
    gradients = [p.grad for module in modules for p in module.parameters() if p.grad is not None]
    if not gradients:
        return torch.zeros(())
    return torch.stack([gradient.double().norm() for gradient in gradients]).norm()
