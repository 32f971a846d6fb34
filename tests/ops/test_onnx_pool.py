import torch

from hybrid_depth.ops.index_add_pool import index_add_pool
from hybrid_depth.ops.onnx_pool import onnx_pool


def test_sums_are_those_of_the_reference():
    depth, pixels = torch.rand(2, 3, 5, 4, 6), torch.rand(2 * 3 * 4 * 6, 7)
    ranks = torch.randint(-1, 40, depth.shape)
    pooled = onnx_pool(depth, pixels, ranks, 40)
    expected = index_add_pool(depth, pixels, ranks, 40)
    assert pooled.shape == (40, 7) and (ranks < 0).any()
    torch.testing.assert_close(pooled, expected)
