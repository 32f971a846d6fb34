"""Priors of the depth net with an encoder."""

from dataclasses import replace

import pytest
import torch

from hybrid_depth.bev.depth_nets.encoder import EncoderDepthNet
from hybrid_depth.geometry import DepthBins
from tests.bev.depth_nets.test_semantics import forward_rig

BINS = DepthBins(1.0, 13.0, num=12)
SIZE, FEATURES = (32, 64), (4, 8)


def net_and_inputs(prior: str = 'GroundPlanePrior') -> tuple[EncoderDepthNet, tuple]:
    tower = dict(type='TimmDepthEncoder', name='test_resnet')
    encoder = dict(type='PriorEncoder', encoder=tower, prior=dict(type=prior))
    net = EncoderDepthNet(
        6, 4, BINS, encoder=encoder, encoder_channels=8, mid_channels=8, aspp_channels=4
    ).eval()
    return net, (torch.randn(1, 6, *FEATURES), torch.rand(1, 1, 3, *SIZE), forward_rig())


def ground() -> torch.Tensor:
    """(D, h) of a level camera 1.5 m above the ground with focal length 32: half a bin wide."""
    shares = torch.zeros(12, 4)
    for row in range(4):
        below = 8 * row + 3.5 - 16  # pixels below the horizon
        depth = 1.5 * 32 / below if below > 0 else 99.0
        if depth < 13:
            bell = torch.tensor([-2 * (depth - 1.5 - i) ** 2 for i in range(12)]).exp()
            shares[:, row] = bell / bell.sum()
    return shares


def test_initial_logits_have_the_ground_depth():
    net, inputs = net_and_inputs()
    with torch.no_grad():
        with_ground = net(*inputs).logits
        net.prior_table.weight.zero_()
        without = net(*inputs).logits
    expected = 5 * ground()[None, :, :, None].expand(1, 12, *FEATURES)
    torch.testing.assert_close(with_ground - without, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ground().sum(0), torch.tensor([0.0, 0, 0, 1]))


def test_the_ground_moves_with_the_image_augmentation():
    """8 pixels up is a row of cells up."""
    net, (feats, images, rig) = net_and_inputs()
    img_aug = rig.img_aug.clone()
    img_aug[..., 1, 2] -= 8
    rig = replace(rig, img_aug=img_aug)
    with torch.no_grad():
        net.prior_projection.weight.zero_()
        with_ground = net(feats, images, rig).logits
        net.prior_table.weight.zero_()
        added = with_ground - net(feats, images, rig).logits
    expected = 5 * ground()[None, :, 1:, None].expand(1, 12, 3, FEATURES[1])
    torch.testing.assert_close(added[:, :, :3], expected, rtol=1e-4, atol=1e-5)


def test_ground_depth_is_an_input_of_the_net():
    net, inputs = net_and_inputs()
    with torch.no_grad():
        before = net(*inputs).logits
        net.prior_projection.weight.mul_(-1)
        changed = (net(*inputs).logits - before).abs().amax((0, 1, 3))
    assert (changed > 1e-4).any()


def test_embodied_depth_as_prior():
    """Initially the logits have its bin, per camera; pixels without depth add nothing."""
    net, (feats, images, rig) = net_and_inputs('EmbodiedPrior')
    depth = torch.full((1, 1, *SIZE), 6.5)
    depth[..., : SIZE[1] // 2] = 0
    with torch.no_grad():
        added = net(feats, images, rig, depth).logits - net(feats, images, rig, 0 * depth).logits
        direct = net.prior_table(BINS.soft(depth[0, :, ::8, ::8], 0.5))
        projected = net.prior_projection.weight.abs().sum()
    assert added.shape == (1, 12, *FEATURES) and projected > 0
    # bin 5 is 6 to 7 m: its logit is raised where there is depth
    assert (direct[0, :, :, 4:].argmax(0) == 5).all() and not direct[..., :4].any()
    assert (added[0, 5, :, 4:] > 1).all()
    with pytest.raises(ValueError, match='expected physics_depth'):
        net(feats, images, rig)
