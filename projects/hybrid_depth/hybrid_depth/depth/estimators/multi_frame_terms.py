"""Terms of a training step with several frames."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ...geometry.cost_volume import CostVolume
from ...losses.reprojection import ReprojectionTerms, Views
from .monodepth2 import Estimate


@dataclass(frozen=True)
class MultiFrameTerms:
    """Terms of a training step of `ManyDepth`.

    Attributes:
        student: what `ReprojectionObjective` says about the multi-frame depth, by scale.
        teacher: the single-frame estimates, by scale.
        views: images that both are scored with.
        volume: matching costs.
        poses: (B, L, 4, 4) that the costs were made with.
        consistent: (B, H, W) bool, matched at every bin, and no other depth than the teacher's.
        augmented: (B,) bool, items whose lookup frames were replaced.
    """

    student: dict[int, ReprojectionTerms]
    teacher: dict[int, Estimate]
    views: Views
    volume: CostVolume
    poses: Tensor
    consistent: Tensor
    augmented: Tensor
