"""A target picture seen again from its sources."""

from __future__ import annotations

from functools import cached_property

from torch import Tensor

from ..geometry.projection import back_project, project, sample
from ..losses import PhotometricError


class ViewSynthesis:
    """Target and sources at one resolution: all that is the same for every depth map of a step.

    Args:
        target: (B, 3, H, W) in [0, 1].
        sources: (S, B, 3, H, W).
        cam2img: (B, 3, 3) intrinsics of all of them, pixels of this resolution.
        ssim_weight: see `PhotometricError`.
        align_corners: see `sample`.
    """

    def __init__(
        self,
        target: Tensor,
        sources: Tensor,
        cam2img: Tensor,
        ssim_weight: float = 0.85,
        align_corners: bool = True,
    ) -> None:
        self.sources = sources
        self.cam2img = cam2img
        self.size = tuple(target.shape[-2:])
        self.align_corners = align_corners
        self.error = PhotometricError(target, ssim_weight)

    def grid(self, depth: Tensor, transforms: Tensor) -> Tensor:
        """Where each source shows the target's points.

        Args:
            depth: (B, 1, H, W) of the target.
            transforms: (S, B, 4, 4) target camera's frame to each source camera's.

        Returns:
            (S, B, H, W, 2), see `project`.
        """
        return project(back_project(depth, self.cam2img), self.cam2img, transforms, self.size)

    def warp(self, grid: Tensor) -> Tensor:
        """Sources (S, B, 3, H, W) sampled at a grid of `grid`."""
        warped = sample(self.sources.flatten(0, 1), grid.flatten(0, 1), self.align_corners)
        return warped.view_as(self.sources)

    @cached_property
    def unwarped_error(self) -> Tensor:
        """(S, B, 1, H, W) errors of the sources as they are, for the auto-mask."""
        return self.error(self.sources)
