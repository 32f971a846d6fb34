import pytest
import torch
from mmengine.registry import MODELS

from hybrid_depth.depth.decoders import Monodepth2Decoder
from hybrid_depth.depth.encoders import DepthFeatures, ResNetDepthEncoder
from tests.golden.monodepth2 import SIZE, SMALL, frames, load, official_keys
from tests.golden.reader import Golden

NETS = Golden('monodepth2_nets')
LIMIT = 1e-4
SMALL_DECODER = dict(
    type='Monodepth2Decoder', in_channels=[4, 6, 8], in_strides=[2, 4, 8], scales=(0, 1, 2)
)


@torch.no_grad()
@pytest.mark.parametrize(
    ('depth', 'name', 'suffix', 'size', 'scales'),
    [(18, 'r18', '', SIZE, (0, 1, 2, 3)), (50, 'r50', '50', SMALL, (0,))],
)
def test_golden_disparities(depth, name, suffix, size, scales):
    encoder = load(ResNetDepthEncoder(depth), f'encoder{suffix}')
    decoder = load(Monodepth2Decoder(encoder.out_channels), f'depth{suffix}')
    outputs = decoder(encoder(frames(size)[0]), size[1:])
    assert list(outputs) == [0, 1, 2, 3]
    for scale in scales:
        NETS.check(f'{name}.disp{scale}', outputs[scale], LIMIT)


@pytest.mark.parametrize(
    ('part', 'channels'),
    [
        ('depth.pth', [64, 64, 128, 256, 512]),
        ('option: depth.pth with num_layers 50', [64, 256, 512, 1024, 2048]),
    ],
)
def test_keys_are_official(part, channels):
    shapes = {k: list(v.shape) for k, v in Monodepth2Decoder(channels).state_dict().items()}
    assert shapes == official_keys(part)


def pyramid(size, channels=(4, 6, 8), strides=(2, 4, 8), tokens=None):
    shapes = [[-(-side // stride) for side in size] for stride in strides]
    maps = [torch.randn(2, c, *shape) for c, shape in zip(channels, shapes, strict=True)]
    logits = None if tokens is None else [torch.randn(2, tokens, *shape) for shape in shapes]
    return DepthFeatures(maps, logits)


@pytest.mark.parametrize('size', [(32, 48), (33, 45), (17, 100)])
@pytest.mark.parametrize(
    ('channels', 'strides'), [((4, 6, 8), (2, 4, 8)), ((6, 8), (4, 8)), ((8,), (8,))]
)
def test_any_size_and_any_pyramid(size, channels, strides):
    cfg = dict(SMALL_DECODER, in_channels=channels, in_strides=strides, scales=(0, 2))
    outputs = MODELS.build(cfg)(pyramid(size, channels, strides), size)
    assert outputs[0].shape == (2, 1, *size)
    assert outputs[2].shape == (2, 1, -(-size[0] // 4), -(-size[1] // 4))
    assert 0 < outputs[0].min() and outputs[0].max() < 1


def test_text_logits_come_first():
    decoder = MODELS.build(dict(SMALL_DECODER, in_channels=[7, 9, 11], scales=(0,)))
    given = pyramid((32, 48), tokens=3)
    joined = DepthFeatures(given.joined())
    assert torch.equal(decoder(given, (32, 48))[0], decoder(joined, (32, 48))[0])


def test_every_parameter_gets_a_gradient():
    decoder = MODELS.build(dict(SMALL_DECODER, scales=(0, 1, 2)))
    sum(output.sum() for output in decoder(pyramid((32, 48)), (32, 48)).values()).backward()
    assert all(p.grad is not None for p in decoder.parameters())


@pytest.mark.parametrize(
    'changes',
    [
        dict(in_strides=[14, 14, 14]),
        dict(in_strides=[4, 2, 8]),
        dict(scales=(3,)),
        dict(scales=(-1, 0)),
        dict(scales=()),
    ],
)
def test_invalid_strides_and_scales(changes):
    with pytest.raises(ValueError, match='expected'):
        MODELS.build({**SMALL_DECODER, **changes})


@pytest.mark.parametrize(
    ('given', 'size', 'message'),
    [
        (pyramid((32, 48), channels=(4, 6, 9)), (32, 48), r'\[4, 6, 8\]'),
        (pyramid((8, 48)), (8, 48), 'at least 9 x 9'),
    ],
)
def test_wrong_features_are_rejected(given, size, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(SMALL_DECODER)(given, size)


def test_initial_output_of_the_heads():
    for start, expected in ((0.05, 0.05), (None, 0.5)):
        outputs = MODELS.build(dict(SMALL_DECODER, start=start))(pyramid((32, 48)), (32, 48))
        for scale, output in outputs.items():
            assert abs(output.median() - expected) < 0.1 * expected + 0.1 * (start is None), scale
