"""Parity of BEVDet4D-R50-Depth with one adjacent frame (docs/reference/golden.md, "BEVDet")."""

from dataclasses import replace

import pytest
import torch
from mmdet3d.registry import MODELS
from mmengine import Config

import hybrid_depth.modules  # noqa: F401  registers the model
from hybrid_depth.bev.parts import Frame
from hybrid_depth.geometry import invert_rigid
from tests.bev.test_golden_bevdet import real_images
from tests.golden import recipe
from tests.golden.bevdet import check_head_losses, ground_truth, official_rig
from tests.golden.reader import Golden

GOLDEN, LIDAR = Golden('bevdet_r50_4d_depth'), Golden('bevdet_depth')
LIMIT = 2e-5  # "whole models, features and head maps" of the golden note
PLAIN_LIMIT = 5e-5  # saturated gates
RECIPE = '8xb8-cbgs-20e_nus-3d_256x704'


@pytest.fixture(scope='module')
def model() -> torch.nn.Module:
    cfg = Config.fromfile(f'configs/bevdet4d/bevdet4d_r50-depth_{RECIPE}.py').model
    cfg.img_backbone.update(with_cp=False)
    return recipe.load(MODELS.build(cfg))


def inputs_of(root, view: str, align: str) -> dict:
    """The golden's two frames: camera i of the earlier one has camera i + 1's current image."""
    key = official_rig(view)
    adjacent = replace(
        key, cam2ego=GOLDEN[f'{view}.sensor2keyego'][1:]
    )  # already in the key frame's ego frame
    if align == 'bev':  # float32 global poses are only accurate to 0.1 mm
        now, before = GOLDEN[f'{view}.ego2global'][[0, 6]].double()
        motion = invert_rigid(now) @ before
        adjacent = replace(key, ego2global=motion[None].float())
    depth = torch.zeros(6, 256 * 704)
    camera, pixel = LIDAR[f'{view}.index'].long()
    depth[camera, pixel] = LIDAR[f'{view}.value']
    earlier = dict(imgs=real_images(root, view, shift=1), rig=adjacent)
    images, depth = real_images(root, view), depth.view(1, 6, 256, 704)
    return dict(imgs=images, rig=key, adjacent=[earlier], gt_depth=depth)


@pytest.mark.parametrize('name', ['4d', '4d_depth', '4dlongterm', '4dlongterm_depth'])
def test_keys_and_shapes_equal_the_official_ones(name):
    configs = {
        '4d': 'bevdet4d_r50',
        '4d_depth': 'bevdet4d_r50-depth',
        '4dlongterm': 'bevdet4d-longterm_r50',
        '4dlongterm_depth': 'bevdet4d-longterm_r50-depth',
    }
    cfg = Config.fromfile(f'configs/bevdet4d/{configs[name]}_{RECIPE}.py').model
    with torch.device('meta'):
        state = MODELS.build(cfg).state_dict()
    official = recipe.shapes(f'bevdet_keys_r50_{name}')
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
    limit = PLAIN_LIMIT if variant == 'plain' else LIMIT
    camera_norm = model.img_view_transformer.depth_net.bn
    pure = {k: v.clone() for k, v in camera_norm.state_dict().items()}
    if variant != 'plain':
        camera_norm.running_mean.copy_(GOLDEN['override.running_mean'])
        camera_norm.running_var.copy_(GOLDEN['override.running_var'])
    model.temporal.align, model.temporal.warp_align = align, 'corners'
    inputs = inputs_of(real_data, view, align)
    frames = []
    hook = model.pre_process_net.register_forward_hook(lambda _, __, out: frames.append(out[0]))
    bev, distribution = model.lift(Frame.of(inputs, None))
    maps = model.temporal(bev, inputs, None, model.lift)
    hook.remove()
    encoded = model.encode(maps)
    head = model.pts_bbox_head([encoded])
    depth_loss = model.img_view_transformer.depth_net.loss(distribution, inputs)
    camera_norm.load_state_dict(pure)

    prefix = f'{view}.{variant}'
    stages = dict(depth=distribution.prob, fused=maps, encoded=encoded)
    stages.update({f'bev_frame{i}': frame for i, frame in enumerate(frames)})  # before any warp
    for name, value in stages.items():
        GOLDEN.check(f'{prefix}.{name}', value, limit)
    for name, value in head[0][0].items():
        GOLDEN.check(f'{prefix}.head.{name}', value, limit)
    losses = model.pts_bbox_head.loss_by_feat(head, [ground_truth(view)])
    check_head_losses(GOLDEN, prefix, losses, 1e-5)
    GOLDEN.check(f'{prefix}.loss_depth', depth_loss['loss_depth_lidar'], 1e-5)


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_cameras_in_the_key_ego(view):
    """The chain of transforms in float64 equals the stored one; matrices are frame-major."""
    cam2ego, ego2global = GOLDEN[f'{view}.sensor2ego'], GOLDEN[f'{view}.ego2global']
    to_key = invert_rigid(ego2global[:1].double()) @ ego2global.double() @ cam2ego.double()
    GOLDEN.check(f'{view}.sensor2keyego', to_key.unflatten(0, (2, 6)), 1e-6)
