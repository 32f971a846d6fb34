"""Options of the view transformer beyond official models."""

from dataclasses import replace

import pytest
import torch

from hybrid_depth.bev.depth_nets.base import DepthDistribution
from hybrid_depth.bev.depth_nets.plain import PlainDepthNet
from hybrid_depth.bev.lift.view_transformer import LSSViewTransformer
from hybrid_depth.geometry import DepthBins
from tests.bev.depth_nets.test_semantics import forward_rig

IMAGE = (32, 64)


def build(**options) -> LSSViewTransformer:
    torch.manual_seed(0)
    return LSSViewTransformer(
        grid=dict(x=(0.0, 16.0, 1.0), y=(-8.0, 8.0, 1.0), z=(-5.0, 3.0, 8.0)),
        depth_bins=dict(start=1.0, stop=16.0, step=1.0),
        image_size=IMAGE,
        in_channels=6,
        context_channels=12,
        stride=8,
        **options,
    )


def test_log_scale_compresses_the_sums_and_keeps_their_sign():
    feats, images = 9 * torch.randn(1, 1, 6, 4, 8), torch.rand(1, 1, 3, *IMAGE)
    sums, _ = build(depth_net=dict(type='PlainDepthNet'))(feats, images, forward_rig())
    logs, _ = build(depth_net=dict(type='PlainDepthNet'), log_scale=True)(
        feats, images, forward_rig()
    )
    assert sums.abs().max() > 1
    torch.testing.assert_close(logs.sign() * logs.abs().expm1(), sums)


def test_pooling_back_ends_are_equal():
    feats, images = torch.randn(1, 1, 6, 4, 8), torch.rand(1, 1, 3, *IMAGE)
    net = dict(type='PlainDepthNet')
    sparse, _ = build(depth_net=net)(feats, images, forward_rig())
    slow = build(depth_net=net, pool_backend='index_add')
    torch.testing.assert_close(slow(feats, images, forward_rig())[0], sparse)
    with pytest.raises(ValueError, match='absent'):
        build(depth_net=net, pool_backend='absent')(feats, images, forward_rig())


@pytest.mark.parametrize('ground_prior', [True, False])
def test_initial_depth_of_the_hybrid_net_is_the_ground(ground_prior):
    encoder = dict(type='TimmDepthEncoder', name='resnet18', out_indices=(2,))
    if ground_prior:
        encoder = dict(type='PriorEncoder', encoder=encoder, prior=dict(type='GroundPlanePrior'))
    net = dict(
        type='EncoderDepthNet',
        encoder=encoder,
        encoder_channels=8,
        mid_channels=8,
        aspp_channels=4,
    )
    transformer = build(depth_net=net).eval()
    feats, images = torch.randn(1, 1, 6, 4, 8), torch.rand(1, 1, 3, *IMAGE)
    _, distribution = transformer(feats, images, forward_rig())
    # the lowest cells are at row 27.5, whose ray meets the ground at 1.5 * 32 / 11.5 = 4.2 m
    at_ground = (distribution.logits[0, :, 3].argmax(0) == 3).all()
    assert at_ground == ground_prior


def test_class_probabilities_replace_context_channels():
    net = dict(
        type='CameraAwareDepthNet',
        mid_channels=8,
        aspp_channels=4,
        semantics=dict(num_classes=10),
    )
    transformer = build(depth_net=net).eval()
    feats, images = torch.randn(1, 1, 6, 4, 8), torch.rand(1, 1, 3, *IMAGE)
    bev, distribution = transformer(feats, images, forward_rig())
    assert bev.shape == (1, 12, 16, 16)
    assert distribution.aux['semantics'].shape == (1, 11, 4, 8)
    probabilities = distribution.context[:, 2:]
    background = distribution.aux['semantics'].softmax(1)[:, 0]
    torch.testing.assert_close(probabilities.sum(1), 1 - background)


def test_plans_are_cached_per_calibration():
    """A plan is computed once per rig, again for another one, and not cached for a `lift_rig`."""
    transformer = build(depth_net=dict(type='PlainDepthNet')).eval()
    feats, images = torch.randn(1, 1, 6, 4, 8), torch.rand(1, 1, 3, *IMAGE)
    rig = forward_rig()
    moved = replace(rig, cam2ego=rig.cam2ego + torch.eye(4)[:, 3:].double() * 0)
    moved.cam2ego[..., 0, 3] += 3.0  # three cells forward
    first, _ = transformer(feats, images, rig)
    plan = transformer.pooling_plan(rig)
    assert transformer.pooling_plan(forward_rig()) is plan
    for found in (transformer(feats, images, moved), transformer(feats, images, rig, moved)):
        torch.testing.assert_close(found[0][..., 3:], first[..., :-3])
        assert found[0][..., :3].abs().max() == 0
    again, _ = transformer(feats, images, rig)
    torch.testing.assert_close(again, first)


def test_as_many_plans_are_kept_as_set_the_last_used_ones():
    transformer = build(depth_net=dict(type='PlainDepthNet'), kept_plans=2)
    rigs = [forward_rig() for _ in range(3)]
    for index, rig in enumerate(rigs):
        rig.cam2ego[..., 0, 3] += index
    again = [replace(rig, bda=rig.bda.clone()) for rig in rigs]  # equal, but other objects
    first, second = map(transformer.pooling_plan, rigs[:2])
    assert not torch.equal(first.ranks, second.ranks)
    assert transformer.pooling_plan(again[0]) is first
    transformer.pooling_plan(rigs[2])  # in place of the second
    assert transformer.pooling_plan(rigs[0]) is first
    assert transformer.pooling_plan(again[1]) is not second
    assert torch.equal(transformer.pooling_plan(again[1]).ranks, second.ranks)


def test_losses_of_equal_targets_are_added():
    bins = DepthBins(1.0, 9.0, num=8)
    logits, inputs = torch.randn(1, 8, 2, 4), dict(gt_depth=torch.full((1, 1, 4, 8), 4.5))
    hard, soft = dict(type='LidarDepthTarget'), dict(type='LidarDepthTarget', sigma=0.7)
    each = [
        PlainDepthNet(4, 4, bins, depth_supervision=targets).loss(
            DepthDistribution(logits, logits), inputs
        )
        for targets in ([hard], [soft], [hard, soft])
    ]
    sums = [losses['loss_depth_lidar'] for losses in each]
    torch.testing.assert_close(sums[0] + sums[1], sums[2])
