"""Mono-ViFI as released, with the golden recipe's weights, and its inputs."""

from __future__ import annotations

from functools import cache

import torch
from mmengine.registry import MODELS
from torch import Tensor, nn

from hybrid_depth.depth.estimators import MonoViFI
from hybrid_depth.geometry.affine_view import AffineView
from tests.depth.encoders.test_mono_vifi_golden import NETS
from tests.golden import recipe
from tests.golden.mono_vifi import augmented, cam2img, frames
from tests.golden.reader import Golden

POSE, LARGE = dict(type='ResNetPoseNet', depth=18), dict(type='IFRNet', size='large')


@cache
def weights(module: str, keys: tuple) -> dict[str, Tensor]:
    """The recipe's weights of an official module."""
    return {key: recipe.tensor(f'{module}.{key}', shape) for key, shape in keys}


def official_modules(model: MonoViFI) -> dict[str, nn.Module]:
    """The model's parts under the names of the official ones."""
    return dict(
        encoder=model.encoder,
        depth=model.decoder,
        encoder_mf=model.encoder_multi or model.encoder,
        depth_mf=model.decoder_multi or model.decoder,
        fusion_module=model.fusion,
        pose_encoder=model.pose_net.encoder,
        pose=model.pose_net.decoder,
    )


def build(backbone: str = 'ResNet18', **changes) -> MonoViFI:
    """The model in training mode."""
    encoder, decoder = NETS[backbone]
    cfg = dict(encoder=encoder, decoder=decoder, pose_net=POSE, interpolation=LARGE, tie_break=0.0)
    model = MODELS.build(dict(type='MonoViFI', **{**cfg, **changes}))
    parts = {name: module for name, module in official_modules(model).items()}
    # a shared module has the weights of the single-frame one
    for name in reversed(parts):
        prefix = name if name.startswith('pose') else f'{backbone}.{name}'
        _load(parts[name], prefix)
    _load(model.interpolation, 'VFI_large')
    return model.train()


def _load(module: nn.Module, name: str) -> None:
    keys = tuple((key, tuple(value.shape)) for key, value in module.state_dict().items())
    module.load_state_dict(weights(name, keys))


def affine_view(golden: Golden, size: tuple[int, int, int]) -> AffineView:
    """The affine view of a file."""
    batch, rows, columns = size
    shape = (batch, 1, rows, columns)
    return AffineView(
        angle=golden['affine.angle'][:, 0],
        box=golden['affine.box'],
        ratio=golden['affine.ratio_local'][:, 0],
        camera=golden['affine.Rc'],
        seen=golden.bits('affine.valid_mask_rec.packed', shape),
        returned=golden.bits('affine.valid_mask_cons.packed', shape),
    )


def make_inputs(golden: Golden, name: str, size: tuple[int, int, int], affine: bool = True) -> dict:
    """Inputs of a training step."""
    images = frames(name, size)
    inputs = dict(images=images, augmented=augmented(images), cam2img=cam2img(size))
    if affine:
        view = affine_view(golden, size)
        views = {i: view.apply(image) for i, image in images.items()}
        inputs['affine'] = dict(images=views, augmented=augmented(views), view=vars(view))
    return inputs


def gradient_norm(module: nn.Module) -> Tensor:
    """L2 norm over all parameters that have a gradient."""
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    if not gradients:
        return torch.zeros((), dtype=torch.float64)
    return torch.stack([gradient.double().norm() for gradient in gradients]).norm()
