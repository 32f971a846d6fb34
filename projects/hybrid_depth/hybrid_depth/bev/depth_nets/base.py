"""Base class and output of the depth nets of a view transformer."""

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
        context: (B * N, C, h, w) features to lift.
        aux: auxiliary maps, for losses and visualization.
    """

    logits: Tensor
    context: Tensor
    aux: dict[str, Tensor] = field(default_factory=dict)

    @property
    def prob(self) -> Tensor:
        """Depth distribution (B * N, D, h, w), float32."""
        return self.logits.float().softmax(1)


class DepthNet:
    """Base class of depth nets: ``forward(image_feats, images, rig) -> DepthDistribution``.

    With ``takes_physics_depth`` they are also given the embodied depth of the images, (B, N, H, W)
    metres, or None, as ``physics_depth``.

    Subclasses call ``set_up_depth`` in their constructor. Without parameters, it does
    not change the checkpoint keys of the subclass.
    """

    bins: DepthBins
    takes_physics_depth = False

    def set_up_depth(self, bins: DepthBins, depth_supervision: Sequence[dict]) -> None:
        """Set the bins and build the supervision targets.

        Args:
            bins: depth bins, shared with the lift.
            depth_supervision: configs of targets; empty for no depth supervision.
        """
        self.bins = bins
        self.depth_targets = [TASK_UTILS.build(cfg) for cfg in depth_supervision]

    def loss(self, distribution: DepthDistribution, inputs: dict) -> dict[str, Tensor]:
        """One weighted loss per supervision entry.

        Args:
            distribution: output of ``forward``.
            inputs: batch inputs with the maps that the targets need (``gt_depth`` (B, N, H, W)
                metres).

        Returns:
            {``loss_depth_<target name>``: scalar}; losses of equal name are summed.
        """
        losses = {}
        for target in self.depth_targets:
            name = f'loss_depth_{target.name}'
            loss = target.loss(distribution.logits, inputs, self.bins)
            losses[name] = losses[name] + loss if name in losses else loss
        return losses
