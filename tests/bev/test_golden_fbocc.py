"""Parity of FB-OCC up to its occupancy head (docs/reference/golden.md, "FB-BEV")."""

from dataclasses import replace

import pytest
import torch
from mmdet3d.registry import MODELS
from mmengine.config import Config

import hybrid_depth.modules  # noqa: F401  registers the parts
from hybrid_depth.bev.refine.backward_projection import BackwardProjection
from hybrid_depth.bev.temporal.history_fusion import HistoryFusion, SequencePosition
from hybrid_depth.geometry import create_frustum, lift_frustum
from hybrid_depth.ops import PoolingPlan, bev_pool
from tests.bev.test_golden_bevdet import real_images
from tests.conftest import ROOT
from tests.golden.fb_bev import (
    ANCHOR_HEIGHTS,
    CHANNELS,
    IMAGE_SIZE,
    PREFIX,
    SPACE,
    depth_net,
    fb_rig,
    load_published,
    published_rig,
)
from tests.golden.reader import Golden
from tests.golden.recipe import load

GOLDEN = Golden('fb_bev_fbocc')
LIMIT = 2e-5  # the whole chain rounds more than its parts: 7e-6 was measured


@pytest.mark.slow
def test_whole_chain_on_real_images(real_data):
    """FB-OCC-R50 up to its history, two frames, sixteen earlier ones; without its occupancy head.

    The second frame has the same images with another augmentation and pose.
    """
    cfg = Config.fromfile(ROOT / 'configs/_base_/models/bevdet_r50.py').model
    cfg.img_backbone.update(with_cp=False)
    backbone = load(MODELS.build(cfg.img_backbone), 'img_backbone.')
    neck = load(MODELS.build(cfg.img_neck), 'img_neck.')
    net, grid = depth_net(), SPACE.grid
    refine = load_published(
        BackwardProjection(SPACE, ANCHOR_HEIGHTS, consistency='one_hot'), PREFIX
    )
    history = HistoryFusion(grid, CHANNELS, 16, warp_align='corners').eval()
    for part in ('time_conv', 'cat_conv'):
        load_published(getattr(history, part), f'history_keyframe_{part}.')
    frustum = create_frustum(SPACE.bins.anchors, (16, 44), IMAGE_SIZE, 'corners')
    pose = torch.eye(4)
    for index, (name, view) in enumerate((('first', 'test'), ('second', 'aug'))):
        pose = pose @ GOLDEN['curr_to_prev'] if index else pose
        still = dict(bda=torch.eye(4)[None], ego2global=pose[None])
        rig, shifted = replace(fb_rig(view), **still), replace(published_rig(view), **still)
        with torch.no_grad():
            features = neck(backbone(real_images(real_data, view)[0]))
            distribution = net(features, None, rig)
            prob, context = distribution.prob[None], distribution.context[None]
            plan = PoolingPlan.from_points(lift_frustum(frustum, rig), grid)
            bev = bev_pool(prob, context, plan, 'sparse')
            volume = bev.unflatten(1, (8, CHANNELS)).transpose(1, 2)
            refined = refine(volume.mean(2), context, prob, shifted)
            fused = history(
                volume + refined.unsqueeze(2), [SequencePosition('a', index, 0.5 * index)], rig
            )
        stages = dict(context=context, depth=prob, refined=refined)
        stages.update(volume=volume.permute(0, 1, 3, 4, 2), fused=fused.permute(0, 1, 3, 4, 2))
        for stage, value in stages.items():
            GOLDEN.check(f'{name}.{stage}', value, LIMIT)
