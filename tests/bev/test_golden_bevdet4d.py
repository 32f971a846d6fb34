"""Parity of BEVDet4D-R50-Depth with one frame before (docs/reference/golden.md, "BEVDet")."""

import json
from dataclasses import replace

import pytest
import torch
from mmdet3d.registry import MODELS
from mmdet3d.structures import LiDARInstance3DBoxes
from mmengine import Config
from mmengine.structures import InstanceData

import hybrid_depth.modules  # noqa: F401  registers the model
from hybrid_depth.geometry import invert_rigid
from tests.bev.test_golden_bevdet import real_images
from tests.golden.bevdet import DATA, Golden, load_recipe, official_rig

LIMIT = 2e-5  # "whole models, features and head maps" of the golden note
PLAIN_LIMIT = 5e-5  # saturated gates


@pytest.fixture(scope='module')
def model() -> torch.nn.Module:
    cfg = Config.fromfile('configs/bevdet4d_r50_depth.py').model
    cfg.img_backbone.update(with_cp=False, init_cfg=None)
    return load_recipe(MODELS.build(cfg))


def inputs_of(root, view: str, align: str) -> dict:
    """The golden's two frames: camera i of the earlier one shows what camera i + 1 shows now."""
    golden = Golden('r50_4d_depth')
    key = official_rig(view)
    adjacent = replace(key, cam2ego=golden[f'{view}.sensor2keyego'][1:])  # already in the key ego
    if align == 'bev':  # in float32 global poses are only good to 0.1 mm
        now, before = golden[f'{view}.ego2global'][[0, 6]].double()
        motion = invert_rigid(now) @ before
        adjacent = replace(key, ego2global=motion[None].float())
    depth = torch.zeros(6, 256 * 704)
    lidar = Golden('depth')
    camera, pixel = lidar[f'{view}.index'].long()
    depth[camera, pixel] = lidar[f'{view}.value']
    earlier = dict(imgs=real_images(root, view, shift=1), rig=adjacent)
    images, depth = real_images(root, view), depth.view(1, 6, 256, 704)
    return dict(imgs=images, rig=key, adjacent=[earlier], gt_depth=depth)


@pytest.mark.parametrize('name', ['4d', '4d_depth', '4dlongterm', '4dlongterm_depth'])
def test_keys_and_shapes_are_the_official_ones(name):
    configs = {
        '4d': 'bevdet4d_r50',
        '4d_depth': 'bevdet4d_r50_depth',
        '4dlongterm': 'bevdet4d_longterm_r50',
        '4dlongterm_depth': 'bevdet4d_longterm_r50_depth',
    }
    cfg = Config.fromfile(f'configs/{configs[name]}.py').model
    cfg.img_backbone.update(init_cfg=None)
    with torch.device('meta'):
        state = MODELS.build(cfg).state_dict()
    official = json.loads((DATA / f'bevdet_keys_r50_{name}.json').read_text())
    assert {k: list(v.shape) for k, v in state.items()} == official


# The golden file has these five: the pure recipe ('plain'), and with sensible camera statistics.
@pytest.mark.parametrize(
    'view, variant, align',
    [
        ('test', 'plain', 'lift'),
        ('test', 'scaled', 'lift'),
        ('aug', 'scaled', 'lift'),
        ('test', 'aligned_after', 'bev'),
        ('aug', 'aligned_after', 'bev'),
    ],
)
@torch.no_grad()
def test_forward_and_losses(model, real_data, view, variant, align):
    golden, limit = Golden('r50_4d_depth'), PLAIN_LIMIT if variant == 'plain' else LIMIT
    camera_norm = model.img_view_transformer.depth_net.bn
    pure = {k: v.clone() for k, v in camera_norm.state_dict().items()}
    if variant != 'plain':
        camera_norm.running_mean.copy_(golden['override.running_mean'])
        camera_norm.running_var.copy_(golden['override.running_var'])
    model.align, model.warp_align = align, 'corners'
    inputs = inputs_of(real_data, view, align)
    maps, distribution = model.lift(inputs)
    encoded = model.encode(maps)
    head = model.pts_bbox_head([encoded])
    depth_loss = model.img_view_transformer.depth_net.loss(distribution, inputs)
    camera_norm.load_state_dict(pure)

    prefix = f'{view}.{variant}'
    stages = dict(depth=distribution.prob, fused=maps, bev_frame0=maps[:, :80], encoded=encoded)
    if align == 'lift':  # stored before the warp otherwise
        stages['bev_frame1'] = maps[:, 80:]
    for name, value in stages.items():
        assert golden.error(f'{prefix}.{name}', value) < limit, name
    for name, value in head[0][0].items():
        assert golden.error(f'{prefix}.head.{name}', value) < limit, name
    _check_losses(model, head, depth_loss, view, prefix)


def _check_losses(model, head, depth_loss, view, prefix):
    golden, boxes = Golden('r50_4d_depth'), Golden('head')
    truth = InstanceData(
        bboxes_3d=LiDARInstance3DBoxes(boxes[f'{view}.gt_boxes'], box_dim=9),
        labels_3d=boxes[f'{view}.gt_labels'],
    )
    losses = model.pts_bbox_head.loss_by_feat(head, [truth])
    parts = sum(golden[f'{prefix}.task0.loss_{p}'] for p in ('xy', 'z', 'whl', 'yaw', 'vel'))
    pairs = (
        (losses['task0.loss_heatmap'], golden[f'{prefix}.task0.loss_heatmap']),
        (losses['task0.loss_bbox'], parts),
        (depth_loss['loss_depth_lidar'], golden[f'{prefix}.loss_depth']),
    )
    for value, reference in pairs:
        torch.testing.assert_close(value, reference, rtol=1e-5, atol=0)
