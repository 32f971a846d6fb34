"""True depth of feature cells in place of predicted depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from ...geometry import CameraRig, DepthBins
from .base import DepthDistribution
from .semantics import keep_nearest, lidar_classes, nearest_of_cell
from .supervision import block_minimum_depth

_SMALLEST = 1e-10  # probability of a bin, so that its logit is finite


@dataclass(frozen=True)
class TrueCells:
    """Depth and class of the nearest pixel of each feature cell.

    Attributes:
        depth: (M, h, w) metres, 0 = unknown.
        label: (M, h, w) int64, -1 unknown, 0 background, 1 + label inside a box.
    """

    depth: Tensor
    label: Tensor

    @classmethod
    def of(
        cls, depth: Tensor, rig: CameraRig, truth: Sequence[InstanceData], size: tuple[int, int]
    ) -> TrueCells:
        """Cells of dense depth maps.

        Args:
            depth: (B, N, H, W) metres, 0 = unknown.
            rig: B x N cameras.
            truth: one per sample, ``bboxes_3d`` in the augmented ego frame and ``labels_3d``.
            size: (h, w), dividing (H, W).
        """
        nearest = block_minimum_depth(depth.flatten(0, 1), size)
        points = keep_nearest(depth, size)
        return cls(nearest, nearest_of_cell(points, lidar_classes(points, rig, truth), size))

    def chosen(
        self,
        ranges: Sequence[tuple[float, float | None]] | None = None,
        labels: Sequence[int] | None = None,
    ) -> Tensor:
        """Cells of known depth in one of the ranges and of one of the labels, (M, h, w) bool.

        Args:
            ranges: from and up to below (None for no end), metres; None for all.
            labels: as of `label`; None for all.
        """
        chosen = self.depth > 0
        if ranges is not None:
            inside = [
                (self.depth >= low) & (self.depth < (torch.inf if high is None else high))
                for low, high in ranges
            ]
            chosen &= torch.stack(inside).any(0)
        if labels is not None:
            chosen &= torch.isin(self.label, torch.tensor(labels, device=self.label.device))
        return chosen


def with_true_depth(
    distribution: DepthDistribution,
    depth: Tensor,
    chosen: Tensor,
    bins: DepthBins,
    sigma: float | None = None,
) -> DepthDistribution:
    """Depth distribution whose chosen cells are those of a perfect depth net.

    The distribution of a chosen cell is the supervision target of its true depth, one-hot or
    Gaussian, as of `LidarDepthTarget`. Cells beyond the bins lift nothing.

    Args:
        distribution: predicted, (M, D, h, w).
        depth: (M, h, w) metres.
        chosen: (M, h, w) bool.
        bins: depth bins.
        sigma: standard deviation of the target, in bins; None for one-hot.
    """
    target = bins.one_hot(depth) if sigma is None else bins.soft(depth, sigma)
    chosen = chosen.unsqueeze(1)
    logits = target.clamp(min=_SMALLEST).log().to(distribution.logits)
    beyond = chosen & (target.sum(1, keepdim=True) == 0)
    return replace(
        distribution,
        logits=torch.where(chosen, logits, distribution.logits),
        context=distribution.context.masked_fill(beyond, 0),
    )
