"""Depth nets of a view transformer: interface, output and shared loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mmdet3d.registry import TASK_UTILS
from torch import Tensor

from ...geometry import DepthBins


@dataclass(frozen=True)
class DepthDistribution:
    """Output of a depth net.

    Args:
        logits: (B * N, D, h, w) depth logits over the shared ``DepthBins``.
        context: (B * N, C, h, w) features to be lifted.
        aux: further maps of the net, for losses and visualization.
    """

    logits: Tensor
    context: Tensor
    aux: dict[str, Tensor] = field(default_factory=dict)

    @property
    def prob(self) -> Tensor:
        """(B * N, D, h, w) float32 distribution."""
        return self.logits.float().softmax(1)


class DepthNet:
    """Base of depth nets: ``forward(image_feats, images, rig) -> DepthDistribution``, ``loss``.

    Subclasses call ``set_up_depth`` in their constructor. It has no parameters, so that the keys of
    official checkpoints are those of the subclass.
    """

    bins: DepthBins

    def set_up_depth(self, bins: DepthBins, depth_supervision: Sequence[dict]) -> None:
        """Set the bins and build the targets.

        Args:
            bins: the bins that the lift uses.
            depth_supervision: configs of targets; empty = no depth supervision (control run).
        """
        self.bins = bins
        self.depth_targets = [TASK_UTILS.build(cfg) for cfg in depth_supervision]

    def loss(self, distribution: DepthDistribution, inputs: dict) -> dict[str, Tensor]:
        """One weighted loss per supervision entry.

        Args:
            distribution: output of ``forward``.
            inputs: batch inputs, with the maps the targets need (``gt_depth`` (B, N, H, W) metres).

        Returns:
            {``loss_depth_<target name>``: scalar}; entries of one name are added up.
        """
        losses = {}
        for target in self.depth_targets:
            name = f'loss_depth_{target.name}'
            loss = target.loss(distribution.logits, inputs, self.bins)
            losses[name] = losses[name] + loss if name in losses else loss
        return losses
