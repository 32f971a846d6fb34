"""Metric scale of depth that is known up to one factor per image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_BIN = 0.01  # of the histogram of log ratios: one per cent


@dataclass(frozen=True)
class DepthScale:
    """Estimated metric scale, one factor per image.

    Attributes:
        scale: (M,) metres per unit of depth; NaN where it could not be estimated.
        spread: (M,) median of |ratio / scale - 1| over the inliers; NaN likewise.
        share: (M,) fraction of the candidate pixels that are inliers.
    """

    scale: Tensor
    spread: Tensor
    share: Tensor

    @property
    def valid(self) -> Tensor:
        """(M,) bool."""
        return self.scale.isfinite()

    def apply(self, depth: Tensor) -> Tensor:
        """(M, H, W) of any unit -> metres, 0 where the scale is unknown."""
        valid = self.valid[:, None, None]
        return torch.where(valid, depth * self.scale[:, None, None].to(depth), 0.0)


@dataclass(frozen=True)
class GroundPlaneScale:
    """Metric scale of relative depth from the height of the camera above the ground plane.

    The reference is the "embodied" depth of Vision-Language Embodiment (CVPR 2025, arXiv
    2503.16535; docs/reference/ground_plane.md, "Depth of the ground plane"). Every pixel whose ray
    meets the ground within `max_depth` is a candidate and votes for the ratio of plane depth to
    given depth. Ground pixels have equal ratios; objects are nearer than the plane behind them and
    have larger, scattered ratios. The ratios in the densest window are the inliers. With too few of
    them, as in an image full of trucks, the scale is NaN. Raised ground, such as a lawn behind a
    kerb, has consistent ratios too and can be mistaken for the road.

    Args:
        max_depth: farthest ground used, metres; errors of pitch grow with the distance
            (docs/reference/ground_plane.md, "Errors of pitch and height").
        tolerance: half width of the window, as a factor minus one.
        min_share: smallest fraction of inliers among the candidates.
        min_pixels: smallest number of inliers.
        max_spread: largest `DepthScale.spread`; uniformly distributed ratios reach half the
            tolerance.

    Example:
        >>> plane = torch.linspace(5.0, 19.0, 400).view(1, 20, 20)
        >>> relative = plane / 3  # depth up to a factor
        >>> relative[0, :4] /= 2  # objects nearer than the ground behind them
        >>> result = GroundPlaneScale()(relative, plane)
        >>> round(result.scale.item(), 3), round(result.share.item(), 3)
        (3.0, 0.8)
    """

    max_depth: float = 20.0
    tolerance: float = 0.05
    min_share: float = 0.25
    min_pixels: int = 100
    max_spread: float = 0.02

    def __call__(self, depth: Tensor, plane: Tensor, mask: Tensor | None = None) -> DepthScale:
        """Scale of each image.

        Args:
            depth: (M, H, W) along the camera's axis, any unit; 0 = none.
            plane: (M, H, W) of `ground_plane_depth`, metres, 0 where the ray meets no ground.
            mask: (M, H, W) bool, ground pixels; None for all candidates.

        Raises:
            ValueError: sizes differ.
        """
        if depth.shape != plane.shape or (mask is not None and mask.shape != depth.shape):
            shapes = [tuple(x.shape) for x in (depth, plane, mask) if x is not None]
            raise ValueError(f'GroundPlaneScale: expected maps of one size, got {shapes}')
        votes = (depth > 0) & (plane > 0) & (plane <= self.max_depth)
        if mask is not None:
            votes &= mask
        ratio = torch.where(votes, plane.double().log() - depth.double().log(), torch.nan)
        ratio = ratio.flatten(1)
        winner = self._densest(ratio)
        # From the window's centre to the inliers' median. The window's outer bins end half a bin
        # beyond the tolerance.
        for reach in (self.tolerance + _BIN / 2, self.tolerance):
            inliers = (ratio - winner[:, None]).abs() <= reach
            winner = _nanmedian(torch.where(inliers, ratio, torch.nan))
        inliers = (ratio - winner[:, None]).abs() <= self.tolerance
        share = inliers.sum(1) / votes.flatten(1).sum(1).clamp(min=1)
        errors = (ratio - winner[:, None]).exp_().sub_(1).abs_()
        spread = _nanmedian(torch.where(inliers, errors, torch.nan))
        enough = (share >= self.min_share) & (inliers.sum(1) >= self.min_pixels)
        enough &= spread <= self.max_spread
        scale = torch.where(enough, winner.exp(), torch.nan)
        return DepthScale(scale, torch.where(enough, spread, torch.nan), share)

    def _densest(self, ratio: Tensor) -> Tensor:
        """(M, P) log ratios with NaN -> (M,) centre of the window that contains most of them."""
        middle = _nanmedian(ratio)
        half = 150  # bins: ratios between 0.22 and 4.5 times the median
        index = ((ratio - middle[:, None]) / _BIN).round() + half
        inside = (index >= 0) & (index <= 2 * half)  # false for NaN
        image = torch.arange(len(ratio), device=ratio.device)[:, None].expand_as(ratio)
        size = 2 * half + 1
        flat = (image * size + index.nan_to_num(0).long())[inside]
        counts = torch.bincount(flat, minlength=len(ratio) * size).view(-1, 1, size).float()
        width = 2 * round(self.tolerance / _BIN) + 1
        window = counts.new_ones(1, 1, width)
        votes = torch.nn.functional.conv1d(counts, window, padding=width // 2)
        return middle + (votes[:, 0].argmax(1) - half) * _BIN


def lidar_scale(depth: Tensor, lidar: Tensor) -> DepthScale:
    """Median scaling to LiDAR, as in the evaluation of monocular depth.

    Args:
        depth: (M, H, W) any unit, 0 = none.
        lidar: (M, H, W) metres, 0 = none.

    Example:
        >>> depth = torch.tensor([[[1.0, 2.0, 3.0]]])
        >>> lidar_scale(depth, torch.tensor([[[10.0, 20.0, 0.0]]])).scale.tolist()
        [10.0]
    """
    both = ((depth > 0) & (lidar > 0)).flatten(1)
    given = torch.where(both, depth.flatten(1).double(), torch.nan)
    truth = torch.where(both, lidar.flatten(1).double(), torch.nan)
    scale = _nanmedian(truth) / _nanmedian(given)
    spread = _nanmedian((truth / given / scale[:, None] - 1).abs())
    return DepthScale(scale, spread, both.double().mean(1))


def motion_scale(predicted: Tensor, measured: Tensor, min_motion: float = 0.3) -> DepthScale:
    """Ratio of the measured camera translation to the one predicted by a pose net.

    Args:
        predicted: (M, 3) camera translations of a pose net, in the unit of its depths.
        measured: (M, 3) of the same cameras from `ego2global`, metres.
        min_motion: smallest measured translation, metres; below it no scale is estimated.

    Example:
        >>> predicted = torch.tensor([[0.0, 0.0, 0.5], [0.0, 0.0, 0.5]])
        >>> motion_scale(predicted, torch.tensor([[0.0, 0.0, 1.5], [0.0, 0.0, 0.1]])).scale.tolist()
        [3.0, nan]
    """
    estimate, truth = predicted.double().norm(dim=1), measured.double().norm(dim=1)
    moved = (truth >= min_motion) & (estimate > 0)
    scale = torch.where(moved, truth / estimate, torch.nan)
    cosine = torch.nn.functional.cosine_similarity(predicted.double(), measured.double())
    return DepthScale(scale, torch.where(moved, 1 - cosine, torch.nan), moved.double())


def _nanmedian(values: Tensor) -> Tensor:
    """(M, P) -> (M,), NaN for rows without a number; also for P = 0."""
    if values.shape[1] == 0:
        return values.new_full((len(values),), torch.nan)
    return values.nanmedian(1).values
