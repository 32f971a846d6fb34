"""Where deformable attention samples, and with which weights."""

import pytest
import torch
from torch import nn

from hybrid_depth.bev.refine.deformable_attention import DeformableAttention

ROWS, COLUMNS = 4, 8


def attention(num_points: int, num_anchors: int, offsets: list[list[float]]) -> DeformableAttention:
    """One head that samples its anchors shifted by constant offsets, and does not mix channels."""
    module = DeformableAttention(2, 1, num_points, num_anchors)
    for layer in (module.value_proj, module.output_proj):
        nn.init.eye_(layer.weight)
        nn.init.zeros_(layer.bias)
    for layer in (module.sampling_offsets, module.attention_weights):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    module.sampling_offsets.bias.data = torch.tensor(offsets).flatten()
    return module


def coordinates() -> torch.Tensor:
    """(1, H * W, 2) map whose channels are its columns and rows."""
    rows, columns = torch.meshgrid(torch.arange(ROWS), torch.arange(COLUMNS), indexing='ij')
    return torch.stack((columns, rows), -1).flatten(0, 1)[None].float()


def at(*cells: tuple[float, float]) -> torch.Tensor:
    """(1, 1, A, 2) anchors at (column, row), from edge to edge."""
    return ((torch.tensor(cells) + 0.5) / torch.tensor([COLUMNS, ROWS]))[None, None]


def test_offsets_are_in_cells():
    module = attention(1, 1, [[1.5, 0.5]])
    found = module(torch.zeros(1, 1, 2), coordinates(), at((3, 1)), (ROWS, COLUMNS))
    assert found.flatten().tolist() == pytest.approx([4.5, 1.5])


def test_points_belong_to_their_anchors_and_take_their_weights():
    """Two anchors of two points each: (2, 1) and (3, 1) with weight 0.5, and (6, 2) twice."""
    module = attention(4, 2, [[0.0, 0], [0, 0], [1, 0], [0, 0]])
    weight = torch.tensor([[[0.5, 1.0]]])
    arguments = torch.zeros(1, 1, 2), coordinates(), at((2, 1), (6, 2)), (ROWS, COLUMNS)
    plain = module(*arguments).flatten().tolist()
    assert plain == pytest.approx([(2 + 6 + 3 + 6) / 4, (1 + 2 + 1 + 2) / 4])
    weighted = module(*arguments, weight).flatten().tolist()
    assert weighted == pytest.approx([(1 + 6 + 1.5 + 6) / 4, (0.5 + 2 + 0.5 + 2) / 4])
