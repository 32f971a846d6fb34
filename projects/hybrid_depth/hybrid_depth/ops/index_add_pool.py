"""Reference back-end of BEV pooling: ``index_add``, one depth bin at a time."""

import torch
from torch import Tensor


def index_add_pool(depth: Tensor, pixels: Tensor, ranks: Tensor, num_voxels: int) -> Tensor:
    """BEV pooling by ``index_add`` per depth bin: temporaries are one (pixels x C) tensor.

    Args:
        depth: (B, N, D, h, w).
        pixels: (B * N * h * w, C).
        ranks: (B, N, D, h, w) int32 or int64, -1 outside.
        num_voxels: B * Z * Y * X.

    Returns:
        (num_voxels, C).
    """
    voxels = pixels.new_zeros(num_voxels + 1, pixels.shape[1])  # last row: points outside the grid
    targets = torch.where(ranks < 0, num_voxels, ranks)
    for weight, target in zip(depth.unbind(2), targets.unbind(2), strict=True):
        voxels.index_add_(0, target.flatten(), weight.reshape(-1, 1) * pixels)
    return voxels[:-1]
