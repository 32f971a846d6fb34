"""Photometric reprojection objective of self-supervised depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry.projection import back_project, project, sample, scale_intrinsics
from .photometric import PhotometricError, reprojection_minimum
from .smoothness import edge_aware_smoothness, normalize_by_mean

_NEVER = 1e3  # error of a source in which a pixel is hidden, larger than any


@dataclass(frozen=True)
class Views:
    """Target and source images of one resolution (`ReprojectionObjective.views`).

    What does not depend on depth is computed on first use and shared by all depth maps evaluated
    with these images, such as those of other scales or networks.

    Args:
        target: (B, 3, H, W) in [0, 1], float32 or float64.
        sources: (S, B, 3, H, W).
        cam2img: (B, 3, 3) intrinsics of target and sources, pixels of this resolution.
        ssim_weight: see `PhotometricError`.
        pyramid: target and sources of smaller sizes, by (h, w). Other sizes are area-averaged.
        hidden: (1 + S, B, 1, H, W) bool, pixels of the target and of each source that show the
            vehicle of the camera; None if none do.
    """

    target: Tensor
    sources: Tensor
    cam2img: Tensor
    ssim_weight: float
    pyramid: Mapping[tuple[int, int], tuple[Tensor, Tensor]] = field(default_factory=dict)
    hidden: Tensor | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return tuple(self.target.shape[-2:])

    @cached_property
    def error(self) -> PhotometricError:
        """Photometric error against the target."""
        return PhotometricError(self.target, self.ssim_weight)

    @cached_property
    def unwarped_errors(self) -> Tensor:
        """(S, B, 1, H, W) photometric errors of the unwarped sources, for the auto-mask."""
        return self.error(self.sources)

    def resized_target(self, size: Sequence[int]) -> Tensor:
        """The target at a smaller size, (B, 3, h, w)."""
        given = self.pyramid.get(tuple(size))
        return shrink(self.target, size) if given is None else given[0]

    def resized(self, size: Sequence[int]) -> Views:
        """Views at a smaller size (h, w), with the intrinsics of that size."""
        rows, columns = self.size
        if tuple(size) in self.pyramid:
            sources = self.pyramid[tuple(size)][1]
        else:
            sources = shrink(self.sources.flatten(0, 1), size)
            sources = sources.unflatten(0, self.sources.shape[:2])
        cam2img = scale_intrinsics(self.cam2img, size[1] / columns, size[0] / rows)
        hidden = self.hidden
        if hidden is not None:
            largest = F.adaptive_max_pool2d(hidden.flatten(0, 1).float(), tuple(size))
            hidden = largest.unflatten(0, hidden.shape[:2]) > 0
        return Views(self.resized_target(size), sources, cam2img, self.ssim_weight, hidden=hidden)


@dataclass(frozen=True)
class ReprojectionTerms:
    """Loss terms of one depth map, per pixel where a further mask may apply.

    Attributes:
        output: (B, 1, h, w) map whose smoothness was measured.
        depth: (B, 1, H, W) evaluated depth.
        transforms: (S, B, 4, 4) target camera's frame to each source camera's.
        grid: (S, B, H, W, 2) sampling points in the sources, see `project`.
        warped: (S, B, 3, H, W) sources warped to the target.
        errors: (S, B, 1, H, W) photometric errors of `warped`.
        smallest: (B, H, W) per-pixel loss, see `reprojection_minimum`.
        warped_wins: (B, H, W) bool, pixels kept by the auto-mask.
        smoothness: scalar, unweighted.
        visible: (B, H, W) bool, pixels that show the scene in the target and in a source (in all
            sources if their errors are averaged), which alone count; None for all pixels.
    """

    output: Tensor
    depth: Tensor
    transforms: Tensor
    grid: Tensor
    warped: Tensor
    errors: Tensor
    smallest: Tensor
    warped_wins: Tensor
    smoothness: Tensor
    visible: Tensor | None = None


class ReprojectionObjective:
    """Photometric reprojection error and edge-aware smoothness of self-supervised depth.

    Monodepth2, arXiv 1806.01260, sections 3.1 and 3.2; docs/reference/monodepth2.md, "Loss". Every
    target pixel is projected into the sources by depth and transforms; the sources are sampled
    there and compared with the target, and the smallest error of a pixel is its loss. Gradients
    reach depth and transforms: detach what should not be trained.

    Args:
        ssim_weight: see `PhotometricError`.
        smoothness_weight: at scale 0, halved from scale to scale.
        automask: include the errors of the unwarped sources in the minimum.
        average: average over sources instead of taking the minimum.
        align_corners: see `sample`.
        tie_break: see `reprojection_minimum`.
        masked_mean: average over the pixels that the auto-mask leaves in alone; False counts the
            others with their unwarped error. True as in ManyDepth (docs/reference/manydepth.md,
            "Losses"), which leaves pixels in where both errors are equal.

    Example:
        >>> from hybrid_depth.geometry.disparity import scale_disparity
        >>> objective = ReprojectionObjective()
        >>> images, cam2img = torch.rand(3, 2, 3, 16, 24), torch.eye(3).repeat(2, 1, 1)
        >>> views = objective.views(images[0], images[1:], cam2img)
        >>> output = torch.full((2, 1, 16, 24), 0.5, requires_grad=True)  # of a decoder
        >>> depth = 1 / scale_disparity(output, min_depth=0.1, max_depth=100.0)
        >>> terms = objective(views, depth, torch.eye(4).expand(2, 2, 4, 4), output)
        >>> terms.smallest.shape, terms.smoothness.item()
        (torch.Size([2, 16, 24]), 0.0)
        >>> sorted(objective.loss({0: terms}))
        ['loss_photometric', 'loss_smoothness', 'warped_share']
    """

    def __init__(
        self,
        ssim_weight: float = 0.85,
        smoothness_weight: float = 1e-3,
        automask: bool = True,
        average: bool = False,
        align_corners: bool = True,
        tie_break: float = 1e-5,
        masked_mean: bool = False,
    ) -> None:
        self.ssim_weight, self.smoothness_weight = ssim_weight, smoothness_weight
        self.masked_mean = masked_mean
        self.automask, self.average = automask, average
        self.align_corners, self.tie_break = align_corners, tie_break

    def views(
        self,
        target: Tensor,
        sources: Tensor,
        cam2img: Tensor,
        smaller: Sequence[tuple[Tensor, Tensor]] = (),
        hidden: Tensor | None = None,
    ) -> Views:
        """Target and sources of one resolution; see `Views` for the arguments.

        Args:
            smaller: target and sources of smaller sizes.
            hidden: see `Views`.

        Raises:
            ValueError: shapes do not match.
        """
        batch, *image = target.shape
        if tuple(sources.shape[1:]) != (batch, *image) or tuple(cam2img.shape) != (batch, 3, 3):
            raise ValueError(
                'ReprojectionObjective: expected a target (B, 3, H, W), sources (S, B, 3, H, W) of '
                f'its size and cam2img (B, 3, 3), got {tuple(target.shape)}, '
                f'{tuple(sources.shape)} and {tuple(cam2img.shape)}'
            )
        pyramid = {tuple(pair[0].shape[-2:]): pair for pair in smaller}
        return Views(target, sources, cam2img, self.ssim_weight, pyramid, hidden)

    def __call__(
        self, views: Views, depth: Tensor, transforms: Tensor, output: Tensor
    ) -> ReprojectionTerms:
        """Loss terms of one depth map of the target.

        Args:
            views: from `views`, at the size of `depth`.
            depth: (B, 1, H, W) along z.
            transforms: (S, B, 4, 4) target camera's frame to each source camera's, in the unit of
                `depth`.
            output: (B, 1, h, w) map to be smooth after division by its mean: the decoder's
                output, at any size.

        Raises:
            ValueError: depth and images differ in size, or transforms and sources in number.
        """
        if depth.shape[-2:] != views.size or len(transforms) != len(views.sources):
            raise ValueError(
                f'ReprojectionObjective: expected depth of size {views.size} and '
                f'{len(views.sources)} transforms, got {tuple(depth.shape[-2:])} and '
                f'{len(transforms)}'
            )
        points = back_project(depth, views.cam2img)
        grid = project(points, views.cam2img, transforms, views.size)
        warped = sample(views.sources.flatten(0, 1), grid.flatten(0, 1), self.align_corners)
        warped = warped.view_as(views.sources)
        errors = views.error(warped)
        candidates, visible = errors, None
        if views.hidden is not None:
            seen = self._seen(views, grid)
            visible = ~views.hidden[0, :, 0] & (seen.all(0) if self.average else seen.any(0))[:, 0]
            candidates = errors if self.average else errors.masked_fill(~seen, _NEVER)
        unwarped = views.unwarped_errors if self.automask else None
        smallest, wins = reprojection_minimum(
            candidates, unwarped, self.average, self.tie_break, keep_ties=self.masked_mean
        )
        image = views.resized_target(output.shape[-2:])
        smoothness = edge_aware_smoothness(normalize_by_mean(output), image)
        return ReprojectionTerms(
            output, depth, transforms, grid, warped, errors, smallest, wins, smoothness, visible
        )

    def _seen(self, views: Views, grid: Tensor) -> Tensor:
        """(S, B, 1, H, W) bool, whether a target pixel shows the scene where it is in a source."""
        hidden = views.hidden[1:].flatten(0, 1).to(grid)
        found = sample(hidden, grid.flatten(0, 1), self.align_corners)
        return found.view(len(grid), -1, *found.shape[1:]) == 0

    def photometric(self, terms: ReprojectionTerms, mask: Tensor | None = None) -> Tensor:
        """Photometric loss of one scale, see `loss`."""
        masks = [mask, terms.warped_wins if self.masked_mean else None, terms.visible]
        masks = [mask for mask in masks if mask is not None]
        if not masks:
            return terms.smallest.mean()
        counted = torch.stack(torch.broadcast_tensors(*masks)).all(0)
        return terms.smallest.where(counted, 0).sum() / (counted.sum() + 1e-7)

    def loss(
        self, terms: dict[int, ReprojectionTerms], mask: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Loss of all scales of a decoder.

        Args:
            terms: by scale s, 0 the finest; the loss of a scale is the mean of `smallest` (over the
                pixels of a mask the sum divided by their number + 1e-7) plus `smoothness_weight` /
                2^s times `smoothness`.
            mask: (B, H, W) bool, pixels that count, at every scale; None for all.

        Returns:
            `loss_photometric` and `loss_smoothness`, means over the scales, whose sum is the loss;
            and for the log `warped_share`, the fraction of pixels at the finest scale kept by the
            auto-mask.
        """
        photometric = [self.photometric(found, mask) for found in terms.values()]
        smoothness = [
            found.smoothness * (self.smoothness_weight / 2**scale) for scale, found in terms.items()
        ]
        finest = terms[min(terms)]
        return dict(
            loss_photometric=torch.stack(photometric).mean(),
            loss_smoothness=torch.stack(smoothness).mean(),
            warped_share=finest.warped_wins.to(finest.smallest.dtype).mean(),
        )


def shrink(images: Tensor, size: Sequence[int]) -> Tensor:
    """Area-averaged images, (B, 3, H, W) -> (B, 3, *size)."""
    return images if images.shape[-2:] == size else F.adaptive_avg_pool2d(images, tuple(size))
