"""Fusion along flow: whose maps are taken, and where from."""

import torch

from hybrid_depth.depth.encoders import DepthFeatures
from hybrid_depth.depth.encoders.flow_fusion import EMBEDDING, Alignment, FlowFusion, shrink_flow


def features(seed):
    torch.manual_seed(seed)
    return DepthFeatures([torch.rand(1, 4, 8, 12), torch.rand(1, 6, 4, 6)])


@torch.no_grad()
def test_mask_chooses_the_neighbour():
    fusion, (before, centre, after) = FlowFusion([4, 6]), map(features, range(3))
    still = torch.zeros(1, 2, 16, 24)
    ones = torch.ones(1, 1, 16, 24)
    fused = fusion(before, centre, after, Alignment(still, still, ones))
    again = fusion(before, centre, features(5), Alignment(still, still, ones))
    other = fusion(before, centre, after, Alignment(still, still, 0 * ones))
    swapped = fusion(after, centre, before, Alignment(still, still, ones))
    for level in range(2):
        assert fused.maps[level].shape == centre.maps[level].shape
        torch.testing.assert_close(fused.maps[level], again.maps[level])
        torch.testing.assert_close(other.maps[level], swapped.maps[level])
        assert not torch.allclose(fused.maps[level], other.maps[level])


@torch.no_grad()
def test_the_neighbours_follow_their_flow():
    fusion = FlowFusion([1])
    weight = fusion.fusion_conv[0].conv.conv.weight
    torch.nn.init.zeros_(weight)
    torch.nn.init.zeros_(fusion.fusion_conv[0].conv.conv.bias)
    weight[:, 1 + EMBEDDING] = 1  # the merged neighbours' map alone
    ramp = DepthFeatures([torch.arange(8.0).expand(1, 1, 4, 8)])
    right = torch.tensor([4.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 16, 32)  # one cell of the map
    half = torch.full((1, 1, 16, 32), 0.5)
    fused = fusion(ramp, ramp, ramp, Alignment(right, -right, half))
    expected = torch.tensor([0.5, 1, 2, 3, 4, 5, 6, 6.5])
    torch.testing.assert_close(fused.maps[0][0, 0, 0], expected)
    fused = fusion(ramp, ramp, ramp, Alignment(right, right, half))
    expected = torch.tensor([1.0, 2, 3, 4, 5, 6, 7, 7])
    torch.testing.assert_close(fused.maps[0][0, 0, 0], expected)


def test_shrunk_flow():
    flow = torch.full((1, 2, 32, 64), 8.0)
    assert shrink_flow(flow, (4, 8)).unique() == 1
    odd = shrink_flow(flow, (5, 9))
    assert odd.shape == (1, 2, 5, 9)
    torch.testing.assert_close(odd[0, :, 2, 4], torch.tensor([8 * 9 / 64, 8 * 5 / 32]))
