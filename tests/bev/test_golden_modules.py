"""Parity of single modules with official BEVDet (docs/reference/golden.md, "BEVDet")."""

import pytest
import torch

from hybrid_depth.bev.backbones.bev_encoder import FPN_LSS, CustomResNet
from hybrid_depth.bev.backbones.custom_fpn import CustomFPN
from hybrid_depth.bev.depth_nets.camera_aware import CameraAwareDepthNet, camera_vector
from hybrid_depth.bev.depth_nets.plain import PlainDepthNet
from hybrid_depth.bev.depth_nets.supervision import LidarDepthTarget, block_minimum_depth
from hybrid_depth.geometry import DepthBins, create_frustum, lift_frustum
from tests.golden.bevdet import OFFICIAL_GRID, feature, near_border, official_rig
from tests.golden.reader import Golden
from tests.golden.recipe import load

MODULES, DEPTH, MEGVII = (Golden(f'bevdet_{name}') for name in ('modules', 'depth', 'megvii'))
LIMIT = 1e-5  # "modules, DepthNet (scaled)" of the golden note
VIEWS = ['test', 'aug']


@pytest.fixture(autouse=True)
def no_grad():
    with torch.no_grad():
        yield


def test_custom_fpn():
    fpn = load(CustomFPN([1024, 2048], 256), 'img_neck.')
    out = fpn([feature('c4', (2, 1024, 16, 44)), feature('c5', (2, 2048, 8, 22))])
    MODULES.check('fpn.out', out, LIMIT)


def test_bev_backbone():
    trunk = load(CustomResNet(64), 'img_bev_encoder_backbone.')
    for i, out in enumerate(trunk(feature('bev', (1, 64, 128, 128)))):
        MODULES.check(f'bev_backbone.out{i}', out, LIMIT)


def test_bev_neck():
    neck = load(FPN_LSS(640, 256), 'img_bev_encoder_neck.')
    out = neck([feature('bev0', (1, 128, 64, 64)), None, feature('bev2', (1, 512, 16, 16))])
    MODULES.check('bev_neck.out', out, LIMIT)


def test_bev_neck_without_extra_upsampling():
    neck = FPN_LSS(24, 8, extra_upsample=None)
    out = neck([torch.ones(1, 8, 16, 16), None, torch.ones(1, 16, 4, 4)])
    assert out.shape == (1, 8, 16, 16)
    assert not any(key.startswith('up2') for key in neck.state_dict())


def test_pre_process_net_is_a_one_stage_backbone():
    net = load(CustomResNet(80, [80], [2], [1]), 'pre_process_net.')
    MODULES.check('pre_process.out', net(feature('bev80', (1, 80, 128, 128)))[0], LIMIT)


def test_plain_depth_net():
    bins = DepthBins(1.0, 60.0, step=1.0, anchor='lower')
    net = load(PlainDepthNet(256, 64, bins), 'img_view_transformer.depth_net.')
    out = net(feature('stride16', (6, 256, 16, 44)), None, None)
    MODULES.check('depth_net.out', torch.cat((out.logits, out.context), 1), LIMIT)
    MODULES.check('depth_net.depth', out.prob, LIMIT)


@pytest.mark.parametrize('view', VIEWS)
def test_camera_vector(view):
    MODULES.check(f'camera_vector.{view}', camera_vector(official_rig(view))[None], 1e-6)


def override(net: CameraAwareDepthNet, golden: Golden) -> None:
    net.bn.running_mean.copy_(golden['override.running_mean'])
    net.bn.running_var.copy_(golden['override.running_var'])


# The pure recipe saturates the gates, so its limit is wider (golden note, "plain").
@pytest.mark.parametrize(
    'mode, view, limit',
    [('plain', 'test', 5e-5), ('scaled', 'test', LIMIT), ('scaled', 'aug', LIMIT)],
)
def test_camera_aware_depth_net(mode, view, limit):
    bins = DepthBins(1.0, 60.0, step=0.5, anchor='lower')
    net = load(CameraAwareDepthNet(512, 80, bins), 'img_view_transformer.depth_net.')
    if mode == 'scaled':
        override(net, MODULES)
    taps = {}
    watched = dict(
        reduce=net.reduce_conv,
        depth_se=net.depth_se,
        context_se=net.context_se,
        block2=net.depth_conv[2],
        aspp=net.depth_conv[3],
    )
    for name, module in watched.items():
        module.register_forward_hook(lambda _m, _i, out, name=name: taps.update({name: out}))
    out = net(feature('stride16_512', (6, 512, 16, 44)), None, official_rig(view))
    taps.update(depth_logits=out.logits, context=out.context)
    for name, value in taps.items():
        MODULES.check(f'deep.{mode}.{view}.{name}', value, limit)


@pytest.mark.parametrize('view', VIEWS)
def test_depth_net_of_the_original_bevdepth(view):
    """Wide ASPP and a deformable convolution, 112 bins from 2 to 58 m."""
    bins = DepthBins(2.0, 58.0, step=0.5, anchor='lower')
    net = CameraAwareDepthNet(512, 80, bins, aspp_channels=512, use_dcn=True)
    override(load(net, 'backbone.depth_net.'), MEGVII)
    out = net(feature('stride16_512', (6, 512, 16, 44)), None, official_rig(view))
    MEGVII.check(f'{view}.depth_logits', out.logits, LIMIT)
    MEGVII.check(f'{view}.context', out.context, LIMIT)


@pytest.mark.parametrize('view', VIEWS)
def test_bins_loss_and_lift_of_the_original_bevdepth(view):
    """From its depth map: of several points in a pixel it keeps the last one, this toolkit the
    nearest (docs/reference/bevdet.md, "Depth target and loss")."""
    bins = DepthBins(2.0, 58.0, step=0.5, anchor='lower')
    depth = sparse_depth(MEGVII, view)
    MEGVII.check(f'{view}.count', (depth > 0).sum((1, 2)), 0)
    MEGVII.check(f'{view}.bins', bins.index(block_minimum_depth(depth, (16, 44))), 0)
    logits = feature('megvii_logits', (6, 112, 16, 44))
    loss = LidarDepthTarget().loss(logits, dict(gt_depth=depth[None]), bins)
    MEGVII.check(f'{view}.loss', loss, 1e-5)
    points = lift_frustum(create_frustum(bins.anchors, (16, 44), (256, 704)), official_rig(view))
    MEGVII.check(f'{view}.xyz', points, 1e-6)
    kept = (OFFICIAL_GRID.ranks(points) >= 0).sum()
    MEGVII.check(f'{view}.kept', kept, 1, scale=near_border(OFFICIAL_GRID, points)[0].sum())


def sparse_depth(golden: Golden, view: str) -> torch.Tensor:
    """(6, 256, 704) metres from the stored pixels."""
    depth = torch.zeros(6, 256 * 704)
    camera, pixel = golden[f'{view}.index'].long()
    depth[camera, pixel] = golden[f'{view}.value'].float()
    return depth.view(6, 256, 704)


@pytest.mark.parametrize('step', [1.0, 0.5])
@pytest.mark.parametrize('view', VIEWS)
def test_block_minimum_bins(view, step):
    bins = DepthBins(1.0, 60.0, step=step)
    nearest = block_minimum_depth(sparse_depth(DEPTH, view), (16, 44))
    DEPTH.check(f'{view}.bins.D{bins.num}', bins.index(nearest), 0)


def test_block_minimum_rejects_cells_that_do_not_divide():
    with pytest.raises(ValueError, match='a multiple of 16x44 feature cells, got 30x44'):
        block_minimum_depth(torch.zeros(1, 30, 44), (16, 44))


def test_lidar_target_names_the_missing_transform():
    with pytest.raises(KeyError, match='LoadLidarDepth'):
        LidarDepthTarget().loss(torch.zeros(6, 4, 2, 2), {}, DepthBins(1, 5, num=4))
