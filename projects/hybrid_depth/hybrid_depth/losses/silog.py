"""Losses of models with a latent prior over metric depth: SILog and the divergence from N(0, 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SILogLoss(nn.Module):
    """Scale-invariant log loss of metric depth, as in WorDepth.

    Per image mean(d^2) - weight * mean(d)^2 of d = log depth - log target over the valid pixels
    (Eigen et al., arXiv 1406.2283, Eq. 4), times the valid share of the image's pixels, summed over
    the batch: an image of ten points counts less than a dense one, and neither a root nor a
    constant factor is taken (github.com/Adonis-galaxy/WorDepth, src/networks/loss.py).

    Args:
        weight: 1 ignores a common factor, 0 is the mean squared log distance.
        min_depth, max_depth: exclusive range of valid targets, metres.
        tolerance: log distances below it count as zero, as in the release.

    Example:
        >>> depth = torch.tensor([1.0, 2.0, 4.0, 9.0]).view(1, 1, 1, 4)
        >>> target = torch.tensor([3.0, 6.0, 12.0, 0.0]).view(1, 1, 1, 4)  # the last has no target
        >>> round(SILogLoss(weight=0.85)(depth, target).item(), 4)  # 3/4 of 0.15 log(3)^2
        0.1358
    """

    def __init__(
        self,
        weight: float = 0.85,
        min_depth: float = 0.1,
        max_depth: float = 80.0,
        tolerance: float = 1e-3,
    ) -> None:
        super().__init__()
        self.weight, self.tolerance = weight, tolerance
        self.min_depth, self.max_depth = min_depth, max_depth

    def forward(self, depth: Tensor, target: Tensor) -> Tensor:
        """Loss of predicted depth, a scalar; 0 without valid targets.

        Args:
            depth: (B, 1, H, W) > 0, metres.
            target: the same shape, metres, 0 = none.

        Raises:
            ValueError: shapes differ.
        """
        if depth.shape != target.shape:
            raise ValueError(
                f'SILogLoss: expected depth and target of one shape, got {tuple(depth.shape)} and '
                f'{tuple(target.shape)}'
            )
        valid = (target > self.min_depth) & (target < self.max_depth)
        # invalid targets become the prediction's own depth, whose logarithm is finite
        difference = depth.log() - torch.where(valid, target, depth.detach()).log()
        counted = valid & (difference.abs() > self.tolerance)
        difference = difference.where(counted, difference.new_zeros(())).flatten(1)
        pixels = valid.flatten(1).sum(1).to(difference)
        mean = difference.sum(1) / pixels.clamp(min=1)
        squares = difference.square().sum(1) / pixels.clamp(min=1)
        share = pixels / difference.shape[1]
        return ((squares - self.weight * mean.square()) * share).sum()


def standard_normal_divergence(mean: Tensor, std: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(mean, std^2) from N(0, 1), summed over the last dimension.

    Kingma and Welling, arXiv 1312.6114, appendix B.

    Args:
        mean, std: (..., D), std > 0.

    Returns:
        (...) divergences, nats.

    Example:
        >>> standard_normal_divergence(torch.tensor([1.0, 0.0]), torch.ones(2)).item()
        0.5
    """
    return 0.5 * (mean.square() + std.square() - 1 - 2 * std.log()).sum(-1)
