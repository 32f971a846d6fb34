"""Parity of the whole BEVDet-R50 on the real keyframe (docs/reference/golden.md, "BEVDet")."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet3d.registry import MODELS
from mmdet3d.structures import LiDARInstance3DBoxes
from mmengine import Config
from mmengine.structures import InstanceData
from PIL import Image

import hybrid_depth.modules  # noqa: F401  registers the model
from hybrid_depth.transforms.image_augmentation import ImageAugmentation, ImageAugmentationParams
from tests.golden.bevdet import DATA, Golden, load_recipe, official_rig

CAMERAS = ('FRONT_LEFT', 'FRONT', 'FRONT_RIGHT', 'BACK_LEFT', 'BACK', 'BACK_RIGHT')
LIMIT = 2e-5  # "whole models, features and head maps" of the golden note


@pytest.fixture(scope='module')
def model() -> torch.nn.Module:
    cfg = Config.fromfile('configs/_base_/models/bevdet_r50.py').model
    cfg.img_backbone.update(with_cp=False, init_cfg=None)
    return load_recipe(MODELS.build(cfg))


def real_images(root: Path, view: str, shift: int = 0) -> torch.Tensor:
    """(1, 6, 3, 256, 704) RGB in [0, 1] of the real keyframe in a golden view; camera i shows what
    camera i + shift sees."""
    ida = Golden('ida')
    images = []
    for i, camera in enumerate(CAMERAS[shift:] + CAMERAS[:shift]):
        (path,) = (root / 'nuscenes_keyframe/samples' / f'CAM_{camera}').glob('*.jpg')
        image = Image.open(path)
        if view == 'test':
            params = ImageAugmentation((256, 704), random=False).fixed_params(image.size)
        else:
            params = ImageAugmentationParams(
                float(ida['aug.resize'][i]),
                tuple(ida['aug.resize_dims'][i].tolist()),
                tuple(ida['aug.crop'][i].tolist()),
                bool(ida['aug.flip'][i]),
                float(ida['aug.rotate'][i]),
            )
        images.append(torch.from_numpy(np.array(params.apply(image))).permute(2, 0, 1) / 255.0)
    return torch.stack(images)[None]


def forward(model: torch.nn.Module, images: torch.Tensor, view: str) -> dict:
    """Every stored stage."""
    c4, c5 = model.img_backbone(images.flatten(0, 1))
    neck = model.img_neck((c4, c5))
    rig = official_rig(view)
    bev, depth = model.img_view_transformer(neck.unflatten(0, (1, 6)), images, rig)
    encoded = model.img_bev_encoder_neck(model.img_bev_encoder_backbone(bev))
    head = model.pts_bbox_head([encoded])
    return dict(c4=c4, c5=c5, neck=neck, depth=depth.prob, bev=bev, encoded=encoded, head=head)


def check_losses(model: torch.nn.Module, head: tuple, view: str, mode: str, loss_rtol, grad_rtol):
    golden, boxes = Golden('r50'), Golden('head')
    truth = InstanceData(
        bboxes_3d=LiDARInstance3DBoxes(boxes[f'{view}.gt_boxes'], box_dim=9),
        labels_3d=boxes[f'{view}.gt_labels'],
    )
    model.zero_grad()
    losses = model.pts_bbox_head.loss_by_feat(head, [truth])
    sum(losses.values()).backward()
    prefix = f'{view}.{mode}'
    parts = sum(golden[f'{prefix}.task0.loss_{p}'] for p in ('xy', 'z', 'whl', 'yaw', 'vel'))
    expected = (golden[f'{prefix}.task0.loss_heatmap'], parts)
    got = (losses['task0.loss_heatmap'], losses['task0.loss_bbox'])
    for value, reference in zip(got, expected, strict=True):
        torch.testing.assert_close(value.detach(), reference, rtol=loss_rtol, atol=0)
    weights = dict(model.named_parameters())
    norms = [k for k in golden.arrays.files if k.startswith(f'{prefix}.grad_norm.')]
    assert norms
    for key in norms:
        norm = weights[key.removeprefix(f'{prefix}.grad_norm.')].grad.norm()
        torch.testing.assert_close(norm, golden[key], rtol=grad_rtol, atol=0, msg=key)


def test_keys_and_shapes_are_the_official_ones(model):
    official = json.loads((DATA / 'bevdet_keys_r50.json').read_text())
    assert {k: list(v.shape) for k, v in model.state_dict().items()} == official


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_forward_losses_and_gradients(model, real_data, view):
    golden = Golden('r50')
    outputs = forward(model, real_images(real_data, view), view)
    head = outputs['head'][0][0]
    for name in ('c4', 'c5', 'neck', 'depth', 'bev', 'encoded'):
        assert golden.error(f'{view}.{name}', outputs[name]) < LIMIT, name
    for name, value in head.items():
        assert golden.error(f'{view}.head.{name}', value) < LIMIT, name
    check_losses(model, outputs['head'], view, 'eval', 1e-5, 1e-3)


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_training_mode_losses_and_gradients(model, real_data, view):
    state = {k: v.clone() for k, v in model.state_dict().items()}
    model.train()
    head = forward(model, real_images(real_data, view), view)['head']
    check_losses(model, head, view, 'train', 5e-4, 3e-2)
    model.load_state_dict(state)
    model.eval()
