"""Depth supervision by pseudo depth."""

from __future__ import annotations

from collections.abc import Callable

import torch
from mmdet3d.registry import TASK_UTILS
from torch import Tensor

from ..bev.depth_nets.supervision import block_minimum_depth, to_blocks
from ..geometry import DepthBins
from ..geometry.depth_scale import DepthScale
from ..losses import depth_distribution_loss


def block_median_depth(depth: Tensor, size: tuple[int, int]) -> Tensor:
    """Median depth of every feature cell, for dense maps.

    Args:
        depth: (M, H, W) metres, 0 = none.
        size: (h, w), dividing (H, W).

    Returns:
        (M, h, w) metres, 0 for cells with less than half of their pixels valid.
    """
    blocks = to_blocks(depth, size).transpose(2, 3).flatten(3)
    known = (blocks > 0).float().mean(-1) >= 0.5
    median = blocks.masked_fill(blocks == 0, torch.nan).nanmedian(-1).values
    return median.masked_fill(~known, 0)


def lidar_gaps(lidar: Tensor, size: tuple[int, int]) -> Tensor:
    """Feature cells that LiDAR looked past: without a point, below a cell with one.

    Above the highest point of a column, LiDAR met nothing within its range: sky, or surfaces beyond
    it. A depth within the bins is wrong there, whatever a depth model says.

    Args:
        lidar: (M, H, W) metres, 0 = none; rows from top to bottom.
        size: (h, w), dividing (H, W).

    Returns:
        (M, h, w) bool.
    """
    known = block_minimum_depth(lidar, size) > 0
    return (known.cumsum(1) > 0) & ~known


class DenseDepthTarget:
    """Base class of soft depth targets from a dense map of the inputs, with or without LiDAR.

    Args:
        weight: loss weight.
        form: see ``depth_distribution_loss``.
        sigma: standard deviation of the soft target, in bins; hard targets of estimated depth may
            be worse than none (docs/reference/bevdet.md, "Soft depth targets").
        where: supervised cells: ``everywhere``, or ``lidar_gaps``, those between or below LiDAR
            points (`lidar_gaps`); there `LoadLidarDepth`'s range should reach as far as the sensor,
            so that a point beyond the bins is no gap. The loss is averaged over all cells with a
            depth within the bins in both cases, so the weight of a cell does not depend on their
            number.

    Attributes:
        name: of the loss.
        field: the map in the inputs, (B, N, H, W) metres, 0 = none.
        transform: pipeline transform that loads it.
    """

    name: str
    field: str
    transform: str

    def __init__(
        self,
        weight: float = 1.0,
        form: str = 'cross_entropy',
        sigma: float = 1.0,
        where: str = 'everywhere',
    ):
        if where not in ('everywhere', 'lidar_gaps'):
            raise ValueError(
                f"{type(self).__name__}: where must be 'everywhere' or 'lidar_gaps', got {where!r}"
            )
        self.weight, self.form, self.sigma, self.where = weight, form, sigma, where

    def loss(self, logits: Tensor, inputs: dict, bins: DepthBins) -> Tensor:
        """Weighted scalar loss of (B * N, D, h, w) logits."""
        size = logits.shape[-2:]
        cells = block_median_depth(self._depth(inputs).flatten(0, 1), size)
        target = bins.soft(cells, self.sigma)
        share = 1.0
        if self.where == 'lidar_gaps':
            self._require(inputs, 'gt_depth', 'LoadLidarDepth')
            everywhere = _supervised(target)
            target = target * lidar_gaps(inputs['gt_depth'].flatten(0, 1), size).unsqueeze(1)
            share = _supervised(target) / everywhere.clamp(min=1)
        return self.weight * share * depth_distribution_loss(logits, target, self.form)

    def _depth(self, inputs: dict) -> Tensor:
        """Dense depth (B, N, H, W)."""
        self._require(inputs, self.field, self.transform)
        return inputs[self.field]

    def _require(self, inputs: dict, name: str, transform: str) -> None:
        if name not in inputs:
            raise KeyError(
                f'{type(self).__name__}: expected {name} (B, N, H, W) in the batch inputs, got '
                f'{sorted(inputs)}; add {transform} to the training pipeline'
            )


def _supervised(target: Tensor) -> Tensor:
    """Number of cells with a target, of (M, D, h, w)."""
    return (target.sum(1) > 0).sum()


@TASK_UTILS.register_module()
class PseudoDepthTarget(DenseDepthTarget):
    """Soft depth target from the depth of a depth model; arguments as `DenseDepthTarget`.

    Uses ``pseudo_depth`` of the inputs (``LoadPseudoDepth``, from a cache), or the model of
    ``OnlinePseudoDepthHook``.
    """

    name, field, transform = 'pseudo', 'pseudo_depth', 'LoadPseudoDepth'

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.source: Callable[[dict], tuple[Tensor, DepthScale]] | None = None

    def _depth(self, inputs: dict) -> Tensor:
        """Pseudo depth (B, N, H, W)."""
        if self.field not in inputs and self.source is not None:
            return self.source(inputs)[0]
        return super()._depth(inputs)


@TASK_UTILS.register_module()
class PhysicsDepthTarget(DenseDepthTarget):
    """Soft depth target from embodied depth: geometry of the camera and class labels, no learning.

    Supervision without LiDAR, after the first step of arXiv 2408.01565. Arguments as
    `DenseDepthTarget`; the depth is ``physics_depth`` of the inputs (``LoadPhysicsDepth``).
    """

    name, field, transform = 'physics', 'physics_depth', 'LoadPhysicsDepth'
