"""Photometric error between a target image and source images warped to it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

C1, C2 = 0.01**2, 0.03**2


class _LocalMean(torch.autograd.Function):
    """3x3 means with reflection padding, (..., H, W).

    Sums of shifted slices, rows then columns: a ninth of the time of padding and `avg_pool2d` on
    CPU. The gradient is the transposed sum.
    """

    @staticmethod
    def forward(ctx, images: Tensor) -> Tensor:
        for dim in (-2, -1):
            images, values = _sum_of_three(images, dim), images
            images.select(dim, 0).add_(values.select(dim, 1))
            images.select(dim, -1).add_(values.select(dim, -2))
        return images.mul_(1 / 9)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> Tensor:
        for dim in (-1, -2):
            gradient, values = _sum_of_three(gradient, dim), gradient
            gradient.select(dim, 1).add_(values.select(dim, 0))
            gradient.select(dim, -2).add_(values.select(dim, -1))
        return gradient.mul_(1 / 9)


def _sum_of_three(images: Tensor, dim: int) -> Tensor:
    """x[i - 1] + x[i] + x[i + 1] along a dimension of at least 2, with zeros outside."""
    last = images.shape[dim] - 1
    total = images.clone()
    total.narrow(dim, 1, last).add_(images.narrow(dim, 0, last))
    total.narrow(dim, 0, last).add_(images.narrow(dim, 1, last))
    return total


def _local_mean(images: Tensor) -> Tensor:
    return _LocalMean.apply(images)


class PhotometricError:
    """Per-pixel photometric error against one target: SSIM and L1, averaged over channels.

    weight * clamp((1 - SSIM) / 2, 0, 1) + (1 - weight) * |difference| (Monodepth, arXiv 1609.03677;
    Monodepth2, arXiv 1806.01260, section 3.1). The target's local statistics are computed once.

    Args:
        target: (B, 3, H, W) in [0, 1], float32 or float64, as SSIM subtracts squares.
        ssim_weight: 0.85 as published, 0 for L1 only.

    Example:
        >>> target = torch.linspace(0, 1, 75).view(1, 3, 5, 5)
        >>> error = PhotometricError(target)
        >>> error(target).max().item()
        0.0
        >>> PhotometricError(target, ssim_weight=0.0)(target + 0.1)[0, 0, 0, :2]
        tensor([0.1000, 0.1000])
    """

    def __init__(self, target: Tensor, ssim_weight: float = 0.85) -> None:
        self.target = target
        self.ssim_weight = ssim_weight
        if ssim_weight > 0:
            self._mean = _local_mean(target)
            self._variance = _local_mean(target**2) - self._mean**2

    def __call__(self, prediction: Tensor) -> Tensor:
        """Predictions (..., B, 3, H, W) -> errors (..., B, 1, H, W)."""
        l1 = (self.target - prediction).abs().mean(-3, keepdim=True)
        if self.ssim_weight == 0:
            return l1
        ssim = self.ssim_loss(prediction).mean(-3, keepdim=True)
        return self.ssim_weight * ssim + (1 - self.ssim_weight) * l1

    def ssim_loss(self, prediction: Tensor) -> Tensor:
        """clamp((1 - SSIM) / 2, 0, 1) over 3x3 windows, (..., B, 3, H, W) as the prediction."""
        mean = _local_mean(prediction)
        variance = _local_mean(prediction**2) - mean**2
        covariance = _local_mean(prediction * self.target) - mean * self._mean
        above = (2 * mean * self._mean + C1) * (2 * covariance + C2)
        below = (mean**2 + self._mean**2 + C1) * (variance + self._variance + C2)
        return ((1 - above / below) / 2).clamp(0, 1)


def reprojection_minimum(
    warped: Tensor,
    unwarped: Tensor | None = None,
    average: bool = False,
    tie_break: float = 0.0,
    keep_ties: bool = False,
) -> tuple[Tensor, Tensor]:
    """Per-pixel minimum reprojection error over the sources, with auto-masking.

    Pixels where an unwarped source has the smallest error are static or move with the camera; they
    give the depth no gradient (Monodepth2, arXiv 1806.01260, section 3.2).

    Args:
        warped: (S, B, 1, H, W) errors of the warped sources.
        unwarped: (S, B, 1, H, W) errors of the unwarped sources; None for no auto-mask.
        average: average over sources first, then the smaller of warped and unwarped.
        tie_break: standard deviation of the noise added to `unwarped`, which breaks ties (static
            camera) at random; 1e-5 as published, 0 for parity tests.
        keep_ties: equal errors count as won by the warped source, else by the unwarped one.

    Returns:
        (B, H, W) errors, and (B, H, W) bool, True where a warped source has the smallest error.

    Example:
        >>> warped = torch.tensor([[0.2, 0.4], [0.1, 0.6]]).view(2, 1, 1, 1, 2)
        >>> unwarped = torch.tensor([[0.5, 0.3], [0.5, 0.5]]).view(2, 1, 1, 1, 2)
        >>> errors, won = reprojection_minimum(warped, unwarped)
        >>> errors, won
        (tensor([[[0.1000, 0.3000]]]), tensor([[[ True, False]]]))
    """
    candidates = [warped] if unwarped is None else [unwarped, warped]
    if average:
        candidates = [errors.mean(0, keepdim=True) for errors in candidates]
    if unwarped is not None and tie_break > 0:
        candidates[0] = candidates[0] + tie_break * torch.randn_like(candidates[0])
    # the first of equal errors is the smallest
    if keep_ties:
        candidates.reverse()
    smallest, winner = torch.cat(candidates).squeeze(2).min(dim=0)
    if keep_ties:
        return smallest, winner < len(candidates[0])
    return smallest, winner >= (0 if unwarped is None else len(candidates[0]))
