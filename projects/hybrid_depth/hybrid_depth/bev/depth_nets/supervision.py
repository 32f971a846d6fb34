"""Supervision targets of depth distributions."""

from __future__ import annotations

import torch
from mmdet3d.registry import TASK_UTILS
from torch import Tensor

from ...geometry import DepthBins
from ...losses import depth_distribution_loss


def to_blocks(depth: Tensor, size: tuple[int, int]) -> Tensor:
    """Pixels of each feature cell, (M, H, W) -> (M, h, H / h, w, W / w).

    Raises:
        ValueError: (h, w) does not divide (H, W).
    """
    m, height, width = depth.shape
    h, w = size
    if height % h or width % w:
        raise ValueError(
            f'expected a depth map of a multiple of {h}x{w} feature cells, got {height}x{width}'
        )
    return depth.reshape(m, h, height // h, w, width // w)


def block_minimum_depth(depth: Tensor, size: tuple[int, int]) -> Tensor:
    """Smallest depth of the pixels of each feature cell (BEVDepth, arXiv 2206.10092).

    Source: docs/reference/bevdet.md, "Depth target and loss".

    Args:
        depth: (M, H, W) metres, 0 = none.
        size: (h, w), dividing (H, W).

    Returns:
        (M, h, w) metres, 0 = none.
    """
    blocks = to_blocks(depth, size)
    nearest = blocks.masked_fill(blocks == 0, torch.inf).amin((2, 4))
    return nearest.masked_fill(nearest.isinf(), 0)


@TASK_UTILS.register_module()
class LidarDepthTarget:
    """Depth target from sparse LiDAR: block minimum, as one-hot (published) or Gaussian target.

    Args:
        weight: loss weight (official BEVDet-Depth: 3.0).
        form: ``bce`` (official) or ``cross_entropy``, see ``depth_distribution_loss``.
        sigma: standard deviation of a Gaussian soft target, in bins; None for one-hot.
    """

    name = 'lidar'

    def __init__(self, weight: float = 3.0, form: str = 'bce', sigma: float | None = None):
        self.weight = weight
        self.form = form
        self.sigma = sigma

    def target(self, depth: Tensor, size: tuple[int, int], bins: DepthBins) -> Tensor:
        """(B, N, H, W) metres -> (B * N, D, h, w) target distribution."""
        nearest = block_minimum_depth(depth.flatten(0, 1), size)
        return bins.one_hot(nearest) if self.sigma is None else bins.soft(nearest, self.sigma)

    def loss(self, logits: Tensor, inputs: dict, bins: DepthBins) -> Tensor:
        """Weighted scalar loss of (B * N, D, h, w) logits."""
        if 'gt_depth' not in inputs:
            raise KeyError(
                'LidarDepthTarget: expected gt_depth (B, N, H, W) in the batch inputs, got '
                f'{sorted(inputs)}; add LoadLidarDepth to the training pipeline'
            )
        target = self.target(inputs['gt_depth'], logits.shape[-2:], bins)
        return self.weight * depth_distribution_loss(logits, target, self.form)
