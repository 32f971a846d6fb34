"""Frame interpolation: any size, bad input."""

import pytest
import torch

from hybrid_depth.depth.interpolation import IFRNet


@pytest.mark.parametrize('size', [(30, 50), (64, 96)])
def test_any_size(size):
    first, second = torch.rand(2, 1, 3, *size)
    with torch.no_grad():
        found = IFRNet('small')(first, second)
    assert found.image.shape == first.shape and found.mask.shape == (1, 1, *size)
    assert found.flow_first.shape == found.flow_second.shape == (1, 2, *size)


def test_flows_are_in_pixels_of_the_images():
    net = IFRNet('small', (32, 32))
    torch.nn.init.zeros_(net.decoder1.convblock[2].weight)
    for decoder in (net.decoder2, net.decoder3, net.decoder4):
        torch.nn.init.zeros_(decoder.convblock[2].weight)
        torch.nn.init.zeros_(decoder.convblock[2].bias)
    net.decoder1.convblock[2].bias.data = torch.tensor([1.0, 1, 2, 2, 0, 0, 0, 0])
    with torch.no_grad():
        found = net(*torch.rand(2, 1, 3, 64, 96))
    assert found.flow_first[0, :, 5, 5].tolist() == [3, 2]
    assert found.flow_second[0, :, 5, 5].tolist() == [6, 4]
    assert found.mask.unique() == 0.5


def test_bad_input():
    with pytest.raises(ValueError, match="'small', 'large'"):
        IFRNet('medium')
    with pytest.raises(ValueError, match='multiples of 16'):
        IFRNet('small', (100, 320))
    with pytest.raises(ValueError, match='two frames of one shape'):
        IFRNet('small')(torch.rand(1, 3, 32, 64), torch.rand(1, 3, 32, 32))
