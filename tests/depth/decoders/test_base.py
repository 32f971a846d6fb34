"""Decoders of pyramids that pad by reflection: any size, bad input."""

import pytest
import torch

from hybrid_depth.depth.decoders import DHRNetDecoder, LiteMonoDecoder
from hybrid_depth.depth.encoders import DepthFeatures


def maps(decoder, size):
    pairs = zip(decoder.in_channels, decoder.in_strides, strict=True)
    return DepthFeatures([torch.rand(1, c, *(-(-side // s) for side in size)) for c, s in pairs])


DECODERS = pytest.mark.parametrize('kind', [DHRNetDecoder, LiteMonoDecoder])


@DECODERS
@pytest.mark.parametrize('size', [(64, 96), (50, 70)])
@torch.no_grad()
def test_any_size(kind, size):
    decoder = kind()
    (disparity,) = decoder(maps(decoder, size), size).values()
    assert disparity.shape == (1, 1, *size) and 0 < disparity.min() < disparity.max() < 1


@DECODERS
def test_bad_input(kind):
    name = kind.__name__
    with pytest.raises(ValueError, match=f'{name}: expected strides'):
        kind((8, 8), (3, 6))
    decoder = kind()
    features = maps(decoder, (64, 96))
    features.maps[0] = features.maps[0][:, 1:]
    with pytest.raises(ValueError, match=f'{name}: expected maps with channels'):
        decoder(features, (64, 96))
    with pytest.raises(ValueError, match=f'{name}: expected images of at least'):
        decoder(maps(decoder, (16, 16)), (16, 16))
