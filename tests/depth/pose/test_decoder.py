import pytest
import torch
from torch import nn

from hybrid_depth.depth.encoders import ResNetDepthEncoder
from hybrid_depth.depth.pose.decoder import OUTPUT_SCALE, PoseDecoder
from hybrid_depth.depth.pose.encoders import PoseConvEncoder, PoseResNetEncoder
from tests.golden.monodepth2 import SIZE, frames, load, official_keys
from tests.golden.reader import Golden

NETS = Golden('monodepth2_nets')


def check(name, motions):
    parts = motions[:, :, None]
    NETS.check(f'{name}.axisangle', parts[..., :3], 1e-4)
    NETS.check(f'{name}.translation', parts[..., 3:], 1e-4)


@torch.no_grad()
@pytest.mark.parametrize(
    ('name', 'module', 'order'),
    [('pose', 'pose_encoder', (-1, 0)), ('pose_all', 'pose_encoder3', (0, -1, 1))],
)
def test_golden_motions(name, module, order):
    images = frames(SIZE)
    encoder = load(PoseResNetEncoder(18, num_images=len(order)), module)
    decoder = load(PoseDecoder(512), 'pose')
    check(name, decoder([encoder([images[i] for i in order])]))


@torch.no_grad()
def test_golden_motion_of_the_depth_encoder():
    images, encoder = frames(SIZE), load(ResNetDepthEncoder(18), 'encoder')
    decoder = load(PoseDecoder(512, num_inputs=2, num_motions=1), 'pose_shared')
    check('pose_shared', decoder([encoder(images[i]).maps[-1] for i in (-1, 0)]))


@torch.no_grad()
@pytest.mark.parametrize(('name', 'order'), [('posecnn2', (0, -1)), ('posecnn3', (0, -1, 1))])
def test_golden_motions_of_plain_convolutions(name, order):
    net = nn.ModuleDict(dict(net=PoseConvEncoder(len(order))))
    net['pose_conv'] = nn.Conv2d(256, 6 * (len(order) - 1), 1)  # `PoseCNN` has that of two frames
    images = frames(SIZE)
    maps = load(net, name)['net'](torch.cat([images[i] for i in order], 1))
    means = OUTPUT_SCALE * net['pose_conv'](maps).mean((2, 3))
    check(name, means.unflatten(1, (-1, 6)))


@pytest.mark.parametrize(
    ('part', 'arguments'),
    [('pose.pth', (512, 1, 2)), ('option: pose.pth of pose_model_type shared', (512, 2, 1))],
)
def test_keys_are_official(part, arguments):
    shapes = {k: list(v.shape) for k, v in PoseDecoder(*arguments).state_dict().items()}
    assert shapes == official_keys(part)


def test_initial_motions_are_small():
    decoder = PoseDecoder(8, num_inputs=2, num_motions=1)
    nn.init.constant_(decoder.net[-1].weight, 0)
    nn.init.constant_(decoder.net[-1].bias, 1)
    motions = decoder([torch.randn(2, 8, 3, 4)] * 2)
    assert motions.shape == (2, 1, 6) and torch.allclose(motions, torch.tensor(0.01))
