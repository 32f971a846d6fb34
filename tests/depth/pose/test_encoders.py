import pytest
import torch

from hybrid_depth.depth.pose.encoders import PoseConvEncoder, PoseResNetEncoder
from tests.golden.monodepth2 import SIZE, frames, load, official_keys
from tests.golden.reader import Golden

NETS = Golden('monodepth2_nets')


@torch.no_grad()
def test_golden_map_of_a_pair():
    images = frames(SIZE)
    encoder = load(PoseResNetEncoder(18), 'pose_encoder')
    NETS.check('pose.feat4', encoder([images[-1], images[0]]), 1e-4)


def test_keys_are_official_without_the_classifier():
    official = official_keys('pose_encoder.pth')
    ours = PoseResNetEncoder(18).state_dict()
    assert {k for k in official if not k.startswith('encoder.fc.')} == set(ours)
    assert list(ours['encoder.conv1.weight'].shape) == official['encoder.conv1.weight']


@pytest.mark.parametrize('count', [2, 3])
def test_stacked_images(count):
    images = [torch.rand(1, 3, 64, 96) for _ in range(count)]
    assert PoseResNetEncoder(18, num_images=count)(images).shape == (1, 512, 2, 3)
    assert PoseConvEncoder(count)(torch.cat(images, 1)).shape == (1, 256, 1, 1)
