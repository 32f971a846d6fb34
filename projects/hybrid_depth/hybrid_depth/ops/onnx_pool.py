"""BEV pooling in ONNX's standard operators: ``ScatterElements``, one bin at a time."""

from __future__ import annotations

import torch
from torch import Tensor


class _ScatterAdd(torch.autograd.Function):
    """Addition of rows (M, C) to the rows of ``voxels``; -1 is the last row.

    ``ScatterElements`` wants an index for every channel. ``ScatterND`` would not, but onnxruntime
    adds its rows in several threads without a lock and loses some of those of one voxel. PyTorch's
    exporter keeps the number of rows as a constant, so this is a function of its own.
    """

    @staticmethod
    def forward(ctx, voxels: Tensor, targets: Tensor, rows: Tensor) -> Tensor:
        return voxels.index_add(0, targets.squeeze(1).remainder(len(voxels)), rows)

    @staticmethod
    def symbolic(graph, voxels, targets, rows):
        indices = graph.op('Expand', targets, graph.op('Shape', rows))
        return graph.op('ScatterElements', voxels, indices, rows, axis_i=0, reduction_s='add')


def onnx_pool(depth: Tensor, pixels: Tensor, ranks: Tensor, num_voxels: int) -> Tensor:
    """``index_add_pool`` for the exporter: the largest temporary is one (pixels x C) tensor.

    The plan is an input of the graph as it is, so that each bin is Split, Mul and a scatter. Points
    outside the grid, of rank -1, are added to an extra last row.

    Args:
        depth: (B, N, D, h, w).
        pixels: (B * N * h * w, C).
        ranks: (B, N, D, h, w) int64, -1 outside.
        num_voxels: B * Z * Y * X.

    Returns:
        (num_voxels, C).
    """
    voxels = pixels.new_zeros(num_voxels + 1, pixels.shape[1])
    bins = ranks.shape[2]
    weights = depth.transpose(1, 2).transpose(0, 1).reshape(bins, -1, 1)
    targets = ranks.transpose(1, 2).transpose(0, 1).reshape(bins, -1, 1)
    for weight, target in zip(weights.unbind(0), targets.unbind(0), strict=True):
        voxels = _ScatterAdd.apply(voxels, target, weight * pixels)
    return voxels[:-1]
