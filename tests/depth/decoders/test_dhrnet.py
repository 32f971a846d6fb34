"""D-HRNet's decoder: any size, bad input."""

import pytest
import torch

from hybrid_depth.depth.decoders import DHRNetDecoder
from hybrid_depth.depth.encoders import DepthFeatures


def maps(decoder, size):
    pairs = zip(decoder.in_channels, decoder.in_strides, strict=True)
    return DepthFeatures([torch.rand(1, c, *(-(-side // s) for side in size)) for c, s in pairs])


@pytest.mark.parametrize('size', [(64, 96), (50, 70)])
@torch.no_grad()
def test_any_size(size):
    decoder = DHRNetDecoder()
    (disparity,) = decoder(maps(decoder, size), size).values()
    assert disparity.shape == (1, 1, *size) and 0 < disparity.min() < disparity.max() < 1


def test_bad_input():
    with pytest.raises(ValueError, match='DHRNetDecoder: expected strides'):
        DHRNetDecoder((8, 8), (3, 6))
    decoder = DHRNetDecoder()
    features = maps(decoder, (64, 96))
    features.maps[0] = features.maps[0][:, 1:]
    with pytest.raises(ValueError, match='DHRNetDecoder: expected maps with channels'):
        decoder(features, (64, 96))
    with pytest.raises(ValueError, match='DHRNetDecoder: expected images of at least'):
        decoder(maps(decoder, (16, 16)), (16, 16))
