"""Estimators and inputs small enough for quick tests."""

import torch

from tests.depth.encoders.tiny import TINY_HYBRID

SIZE = (64, 96)
TIMM = dict(type='TimmDepthEncoder', name='test_resnet')
CONV_DECODER = dict(type='Monodepth2Decoder', in_strides=[2, 4, 8, 16, 32], scales=(0, 1))
DPT = dict(type='DPTDecoder', channels=8, level_channels=(8, 8, 8, 8), upsample=4)
CONV = dict(type='Monodepth2', encoder=TIMM, decoder=CONV_DECODER, pose_net=dict(type='PoseCNN'))
HYBRID = dict(CONV, encoder=TINY_HYBRID, decoder=DPT)


def make_inputs(sources=(-1, 1), size=SIZE, batch=2):
    """Random images in [0, 1] and a plausible camera."""
    images = {i: torch.rand(batch, 3, *size) for i in (0, *sources)}
    cam2img = torch.tensor([[60.0, 0, size[1] / 2], [0, 60, size[0] / 2], [0, 0, 1]])
    inputs = dict(images=images, cam2img=cam2img.repeat(batch, 1, 1))
    if 's' in sources:
        inputs['transforms'] = dict(s=torch.eye(4).repeat(batch, 1, 1))
        inputs['transforms']['s'][:, 0, 3] = 0.1
    return inputs
