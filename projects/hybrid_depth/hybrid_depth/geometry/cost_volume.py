"""Plane sweep: how well other views of a scene match a view at each of a set of depths."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import DepthDataError
from .projection import back_project, project

PLANE_SPACINGS = ('linear', 'inverse')
# Cells of the target and of a sampling position this close to the border are not compared.
BORDER = 2


def depth_planes(depth_range: Tensor, num: int, spacing: str = 'linear') -> Tensor:
    """Depths of a plane sweep, in rising order, both ends included.

    Args:
        depth_range: (2,) smallest and largest depth.
        num: number of planes, at least 2.
        spacing: 'linear' for equal steps of depth, 'inverse' for equal steps of 1 / depth.

    Returns:
        (num,) float32.

    Raises:
        ValueError: unknown spacing, fewer than two planes.

    Example:
        >>> depth_planes(torch.tensor([1.0, 4.0]), 4).tolist()
        [1.0, 2.0, 3.0, 4.0]
        >>> depth_planes(torch.tensor([1.0, 4.0]), 4, 'inverse').tolist()
        [1.0, 1.3333..., 2.0, 4.0]
    """
    if spacing not in PLANE_SPACINGS or num < 2:
        raise ValueError(
            f'depth_planes: expected a spacing of {PLANE_SPACINGS} and at least 2 planes, got '
            f'{spacing!r} and {num}'
        )
    first, last = depth_range.double() if spacing == 'linear' else 1 / depth_range.double()
    steps = torch.linspace(0, 1, num, dtype=torch.float64, device=depth_range.device)
    planes = first + (last - first) * steps
    return (planes if spacing == 'linear' else 1 / planes).float()


@dataclass(frozen=True)
class CostVolume:
    """Matching costs of the planes of a sweep (`plane_sweep`).

    Attributes:
        costs: (B, D, h, w) mean absolute difference of the features. Where no view shows the
            point (`missing`) it is the largest cost of the pixel; 0 in pixels without any view.
        missing: (B, D, h, w) bool.
        planes: (D,) depths.

    Example:
        >>> costs = torch.tensor([0.0, 0.3, 0.1]).view(1, 3, 1, 1)
        >>> volume = CostVolume(costs, costs == 0, torch.tensor([1.0, 2.0, 3.0]))
        >>> volume.best_depth().item(), volume.confidence.item()
        (3.0, False)
    """

    costs: Tensor
    missing: Tensor
    planes: Tensor

    @property
    def confidence(self) -> Tensor:
        """(B, h, w) bool: the pixel was compared at every plane."""
        return ~self.missing.any(1)

    def best_depth(self) -> Tensor:
        """(B, h, w) depth of the smallest cost; the first plane where nothing was compared."""
        costs = self.costs.masked_fill(self.costs == 0, torch.inf)
        return self.planes[costs.argmin(1)]


@torch.no_grad()
def plane_sweep(
    target: Tensor,
    lookups: Tensor,
    cam2img: Tensor,
    transforms: Tensor,
    planes: Tensor,
    chunk: int = 2,
) -> CostVolume:
    """Cost volume of features, after ManyDepth (arXiv 2104.14540, section 3.1).

    Each lookup view is warped into the target at every plane; the cost is the mean over channels of
    the absolute difference, averaged over the views that show the point. Points within two cells of
    the border of either view, and exact matches (cost 0), count as not seen
    (docs/reference/manydepth.md, "Cost volume"). Without gradient. The largest intermediate tensor
    has `chunk` times the size of `lookups`.

    Args:
        target: (B, C, h, w) features.
        lookups: (B, L, C, h, w) features of the other views, L >= 0.
        cam2img: (B, 3, 3) intrinsics of all views, pixels of the features.
        transforms: (B, L, 4, 4) target camera's frame to each lookup camera's; all zero for a view
            to leave out.
        planes: (D,) depths in the unit of the transforms.
        chunk: planes that are warped at a time.

    Raises:
        ValueError: shapes do not fit.
        DepthDataError: a transform is not finite.

    Example:
        >>> scene = torch.rand(1, 4, 12, 30)  # a plane at depth 2, seen 3 pixels apart
        >>> target, lookups = scene[..., :24], scene[:, None, :, :, 3:27]
        >>> cam2img = torch.tensor([[[6.0, 0, 12], [0, 6, 6], [0, 0, 1]]])
        >>> transforms = torch.eye(4)[None, None].clone()
        >>> transforms[..., 0, 3] = -1.0
        >>> planes = torch.tensor([1.0, 1.5, 2.1, 3.0])
        >>> volume = plane_sweep(target, lookups, cam2img, transforms, planes)
        >>> volume.best_depth()[0, 6, 12].item()
        2.0999...
    """
    _check(target, lookups, cam2img, transforms)
    item, view = (transforms != 0).flatten(2).any(-1).nonzero(as_tuple=True)
    features = lookups[item, view].permute(0, 2, 3, 1).contiguous()
    reference = target[item].permute(0, 2, 3, 1).unsqueeze(1).contiguous()
    cameras, poses = cam2img[item].unsqueeze(1), transforms[item, view].unsqueeze(1)
    size = tuple(target.shape[-2:])
    rays = back_project(target.new_ones(len(item), 1, *size), cam2img[item]).unsqueeze(1)
    total = target.new_zeros(len(target), len(planes), *size)
    count = torch.zeros_like(total)
    for first in range(0, len(planes), chunk):
        some = slice(first, first + chunk)
        grid = project(rays * planes[some].to(rays).view(-1, 1, 1), cameras, poses, size)
        pixels = (grid + 1) / 2 * grid.new_tensor([size[1] - 1, size[0] - 1])
        warped = _sample_rows(features, pixels)
        costs = warped.sub_(reference).abs_().mean(-1) * _inside(pixels)
        total[:, some].index_add_(0, item, costs)
        count[:, some].index_add_(0, item, (costs > 0).to(costs.dtype))
    costs = total / (count + 1e-7)
    missing = costs == 0
    return CostVolume(torch.where(missing, costs.amax(1, keepdim=True), costs), missing, planes)


def _sample_rows(features: Tensor, pixels: Tensor) -> Tensor:
    """Bilinear sampling of (N, h, w, C) at (N, D, h, w, 2) -> (N, D, h, w, C), border values
    outside.

    As a weighted sum of four rows of a table this is faster than `grid_sample` on a CPU.
    """
    rows, columns, channels = features.shape[1:]
    last = pixels.new_tensor([columns - 1, rows - 1])
    pixels = pixels.nan_to_num(0).clamp_min(0).minimum(last)
    corner = pixels.floor().minimum(last - 1)
    (x, y), (u, v) = (pixels - corner).unbind(-1), corner.long().unbind(-1)
    item = torch.arange(len(features), device=v.device).view(-1, 1, 1, 1)
    first = (item * rows + v) * columns + u
    indices = torch.stack([first, first + 1, first + columns, first + columns + 1], -1)
    weights = torch.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], -1)
    sums = F.embedding_bag(
        indices.view(-1, 4),
        features.view(-1, channels),
        mode='sum',
        per_sample_weights=weights.view(-1, 4),
    )
    return sums.view(*pixels.shape[:-1], channels)


def _inside(pixels: Tensor) -> Tensor:
    """Sampling positions (..., h, w, 2) -> (..., h, w) bool: away from the border of both views."""
    rows, columns = pixels.shape[-3:-1]
    x, y = pixels.unbind(-1)
    inside = (x >= BORDER) & (x <= columns - BORDER) & (y >= BORDER) & (y <= rows - BORDER)
    inner = torch.zeros(rows, columns, dtype=torch.bool, device=pixels.device)
    inner[BORDER:-BORDER, BORDER:-BORDER] = True
    return inside & inner


def _check(target: Tensor, lookups: Tensor, cam2img: Tensor, transforms: Tensor) -> None:
    batch, count = lookups.shape[:2]
    wanted = dict(
        lookups=(len(target), count, *target.shape[1:]),
        cam2img=(len(target), 3, 3),
        transforms=(batch, count, 4, 4),
    )
    got = dict(lookups=lookups.shape, cam2img=cam2img.shape, transforms=transforms.shape)
    got = {name: tuple(shape) for name, shape in got.items()}
    if got != wanted:
        raise ValueError(
            f'plane_sweep: expected for a target of shape {tuple(target.shape)} {wanted}, got {got}'
        )
    _require_finite(transforms)


def _require_finite(transforms: Tensor) -> None:
    """Indices made from NaN would read anywhere; on a GPU this waits for the pose net."""
    if not transforms.isfinite().all():
        raise DepthDataError(
            'plane_sweep: expected finite transforms, got NaN or infinity: the pose net has '
            'diverged (lower the learning rate), or the pose in the data is damaged'
        )
