import pytest
import torch
from torch import nn

from hybrid_depth.decoders import PoseDecoder
from hybrid_depth.encoders import PoseResNetEncoder
from tests.golden.monodepth2 import SIZE, Golden, frames, load, official_keys


def check(golden, name, motions):
    parts = motions[:, :, None]
    golden.check(f'{name}.axisangle', parts[..., :3], 1e-4)
    golden.check(f'{name}.translation', parts[..., 3:], 1e-4)


@torch.no_grad()
@pytest.mark.parametrize(
    ('name', 'module', 'order'),
    [('pose', 'pose_encoder', (-1, 0)), ('pose_all', 'pose_encoder3', (0, -1, 1))],
)
def test_golden_motions(name, module, order):
    pictures = frames(SIZE)
    encoder = load(PoseResNetEncoder(18, num_images=len(order)), module)
    decoder = load(PoseDecoder(512), 'pose')
    check(Golden('nets'), name, decoder([encoder([pictures[i] for i in order])]))


@pytest.mark.parametrize(
    ('part', 'arguments'),
    [('pose.pth', (512, 1, 2)), ('option: pose.pth of pose_model_type shared', (512, 2, 1))],
)
def test_keys_are_official(part, arguments):
    shapes = {k: list(v.shape) for k, v in PoseDecoder(*arguments).state_dict().items()}
    assert shapes == official_keys(part)


def test_motions_start_small():
    decoder = PoseDecoder(8, num_inputs=2, num_motions=1)
    nn.init.constant_(decoder.net[-1].weight, 0)
    nn.init.constant_(decoder.net[-1].bias, 1)
    motions = decoder([torch.randn(2, 8, 3, 4)] * 2)
    assert motions.shape == (2, 1, 6) and torch.allclose(motions, torch.tensor(0.01))
