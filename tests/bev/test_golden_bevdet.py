"""Parity of the whole BEVDet-R50 on the real keyframe (docs/reference/golden.md, "BEVDet")."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet3d.registry import MODELS
from mmengine import Config
from PIL import Image

import hybrid_depth.modules  # noqa: F401  registers the model
from hybrid_depth.bev.transforms.image_augmentation import (
    ImageAugmentation,
    ImageAugmentationParams,
)
from tests.bev.heads.golden_signs import gradient_norms, head_losses
from tests.golden import recipe
from tests.golden.bevdet import (
    CAMERAS,
    check_head_losses,
    ground_truth,
    keyframe,
    moved_cells,
    official_rig,
)
from tests.golden.reader import Golden

GOLDEN, IDA = Golden('bevdet_r50'), Golden('bevdet_ida')
LIMIT = 2e-5  # "whole models" of the golden note
MOVED_LIMIT = 2e-3  # after the lift, if a point is in another cell: 1.4e-3 was measured


@pytest.fixture(scope='module')
def model() -> torch.nn.Module:
    cfg = Config.fromfile('configs/_base_/models/bevdet_r50.py').model
    cfg.img_backbone.update(with_cp=False)
    return recipe.load(MODELS.build(cfg))


def real_images(root: Path, view: str, shift: int = 0) -> torch.Tensor:
    """(1, 6, 3, 256, 704) RGB in [0, 1] of the real keyframe in a golden view; camera i has the
    image of camera i + shift."""
    images = []
    for i, camera in enumerate(CAMERAS[shift:] + CAMERAS[:shift]):
        (path,) = (keyframe(root) / 'samples' / f'CAM_{camera}').glob('*.jpg')
        image = Image.open(path)
        if view == 'test':
            params = ImageAugmentation((256, 704), random=False).fixed_params(image.size)
        else:
            params = ImageAugmentationParams(
                float(IDA['aug.resize'][i]),
                tuple(IDA['aug.resize_dims'][i].tolist()),
                tuple(IDA['aug.crop'][i].tolist()),
                bool(IDA['aug.flip'][i]),
                float(IDA['aug.rotate'][i]),
            )
        images.append(torch.from_numpy(np.array(params.apply(image))).permute(2, 0, 1) / 255.0)
    return torch.stack(images)[None]


def forward(model: torch.nn.Module, images: torch.Tensor, view: str) -> dict:
    """Outputs of all stored stages."""
    c4, c5 = model.img_backbone(images.flatten(0, 1))
    neck = model.img_neck((c4, c5))
    rig = official_rig(view)
    bev, depth = model.img_view_transformer(neck.unflatten(0, (1, 6)), images, rig)
    encoded = model.img_bev_encoder_neck(model.img_bev_encoder_backbone(bev))
    head = model.pts_bbox_head([encoded])
    return dict(c4=c4, c5=c5, neck=neck, depth=depth.prob, bev=bev, encoded=encoded, head=head)


def check_forward(outputs: dict, view: str) -> None:
    """Check all stages except the losses."""
    moved = moved_cells(view) > 0
    for name in ('c4', 'c5', 'neck', 'depth'):
        GOLDEN.check(f'{view}.{name}', outputs[name], LIMIT)
    bev = outputs['bev']
    GOLDEN.check(f'{view}.bev', bev, LIMIT, free=moved.expand(bev.shape))
    limit = MOVED_LIMIT if moved.any() else LIMIT
    GOLDEN.check(f'{view}.encoded', outputs['encoded'], limit)
    for name, value in outputs['head'][0][0].items():
        GOLDEN.check(f'{view}.head.{name}', value, limit)


def check_losses(model: torch.nn.Module, head: tuple, view: str, mode: str, limit, grad_limit):
    """Check losses, and gradient norms up to signs that rounding may flip (`golden_signs`)."""
    prefix, weights = f'{view}.{mode}', dict(model.named_parameters())
    stored = [key.removeprefix(f'{prefix}.grad_norm.') for key in GOLDEN.names(f'{prefix}.grad*')]
    assert len(stored) == 9

    def measure(losses: dict) -> dict[str, torch.Tensor]:
        model.zero_grad()
        sum(losses.values()).backward(retain_graph=True)
        return {f'{prefix}.grad_norm.{key}': weights[key].grad.norm() for key in stored}

    def fits(norms: dict) -> bool:
        return all(abs(norm / GOLDEN[key] - 1) <= grad_limit for key, norm in norms.items())

    given = model.pts_bbox_head, head, ground_truth(view)
    check_head_losses(GOLDEN, prefix, head_losses(*given), limit)
    for key, norm in gradient_norms(*given, measure, fits).items():
        GOLDEN.check(key, norm, grad_limit)


def test_keys_and_shapes_equal_the_official_ones(model):
    official = recipe.shapes('bevdet_keys_r50')
    assert {k: list(v.shape) for k, v in model.state_dict().items()} == official


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_forward_losses_and_gradients(model, real_data, view):
    outputs = forward(model, real_images(real_data, view), view)
    check_forward(outputs, view)
    check_losses(model, outputs['head'], view, 'eval', 1e-5, 1e-3)


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_training_mode_losses_and_gradients(model, real_data, view):
    state = {k: v.clone() for k, v in model.state_dict().items()}
    model.train()
    head = forward(model, real_images(real_data, view), view)['head']
    check_losses(model, head, view, 'train', 5e-4, 3e-2)
    model.load_state_dict(state)
    model.eval()
