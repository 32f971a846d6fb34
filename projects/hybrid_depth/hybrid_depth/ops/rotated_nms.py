"""Exact IoU and greedy NMS of rotated BEV boxes, in PyTorch on any device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

PAIRS_AT_ONCE = 1 << 12  # bounds the memory; later chunks skip boxes that are suppressed already
ROUNDING = 1e-12  # a smaller share of the smaller box is rounding, not an intersection
TINY = 1e-200  # replaces divisors near zero


def rotated_iou(boxes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union of rotated boxes, exact up to float64 rounding.

    By Green's theorem the area of the intersection is the integral of X dY along the edges of one
    box, with X and Y clamped to the other, an axis-aligned rectangle around the origin in its
    frame. The integrand is piecewise linear, so the integral has a closed form, and it is
    continuous in the boxes: no corners are sorted, and common edges are no special case.

    Args:
        boxes: (..., 5) centre x, y, size along and across the heading, and the heading,
            counter-clockwise from the x axis in radians (``BaseInstance3DBoxes.bev`` of mmdet3d).
        others: (..., 5), broadcast against ``boxes``: ``boxes[:, None], others[None]`` for all
            pairs.

    Returns:
        (...) float64 from 0 to 1; 0 for boxes of non-positive size or with non-finite numbers.

    Raises:
        ValueError: the last dimension is not 5.

    Example:
        >>> rotated_iou(torch.tensor([0, 0, 4, 2, 0.0]), torch.tensor([1, 0, 4, 2, 0.0]))
        tensor(0.6000, dtype=torch.float64)
    """
    if boxes.shape[-1:] != (5,) or others.shape[-1:] != (5,):
        raise ValueError(
            'rotated_iou: expected boxes and others (..., 5) x, y, w, h, angle, got '
            f'{tuple(boxes.shape)} and {tuple(others.shape)}'
        )
    x, y, w, h, angle = _usable(boxes).unbind(-1)
    other_x, other_y, other_w, other_h, other_angle = _usable(others).unbind(-1)
    # centre, edges and corners of the box in the other box's frame
    dx, dy, cos, sin = x - other_x, y - other_y, other_angle.cos(), other_angle.sin()
    centre = torch.stack((dx * cos + dy * sin, dy * cos - dx * sin))
    cos, sin = (angle - other_angle).cos(), (angle - other_angle).sin()
    along, across = torch.stack((w * cos, w * sin)), torch.stack((-h * sin, h * cos))
    first = centre - (along + across) / 2
    corners = torch.stack((first, first + along, first + along + across, first + across), 1)
    edges = torch.stack((along, across, -along, -across), 1)
    area, other_area = w * h, other_w * other_h
    smaller = area.minimum(other_area)
    intersection = _clamped_integral(corners, edges, other_w / 2, other_h / 2).sum(0)
    intersection = intersection.minimum(smaller)
    iou = intersection / (area + other_area - intersection)
    return torch.where(intersection > ROUNDING * smaller, iou, 0)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit of PyTorch to one CPU thread.

    Waking more threads takes longer than this small work, and much longer while other processes,
    such as data-loader workers, use the cores.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@torch.no_grad()
@_one_thread()
def rotated_nms(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float,
    groups: Tensor | None = None,
    pre_max_size: int | None = None,
    post_max_size: int | None = None,
) -> Tensor:
    """Greedy NMS of rotated boxes, for many samples or classes at once.

    In order of score, a box is kept unless its IoU with a kept box exceeds the threshold. Equal
    scores are taken in input order.

    Args:
        boxes: (N, 5) as in ``rotated_iou``. Boxes of non-positive size or with non-finite numbers
            overlap nothing and are kept.
        scores: (N,).
        iou_threshold: 0 to 1.
        groups: (N,) int64, for example the index of the sample; boxes of different groups do not
            suppress each other. None for one group.
        pre_max_size: number of best boxes per group that enter NMS; None for all.
        post_max_size: number of best boxes per group that are returned; None for all.

    Returns:
        (K,) int64 indices of the kept boxes, sorted by group and then by descending score.

    Raises:
        ValueError: shapes do not match, or the threshold is not within 0 to 1.

    Example:
        >>> boxes = torch.tensor([[0, 0, 4, 2, 0.0], [1, 0, 4, 2, 0.0], [9, 9, 4, 2, 0.0]])
        >>> rotated_nms(boxes, torch.tensor([0.7, 0.9, 0.8]), iou_threshold=0.5)
        tensor([1, 2])
    """
    if boxes.ndim != 2 or boxes.shape[1] != 5 or scores.shape != boxes.shape[:1]:
        raise ValueError(
            f'rotated_nms: expected boxes (N, 5) x, y, w, h, angle and scores (N,), got '
            f'{tuple(boxes.shape)} and {tuple(scores.shape)}'
        )
    if not 0 <= iou_threshold <= 1:
        raise ValueError(f'rotated_nms: expected an IoU threshold of 0 to 1, got {iou_threshold}')
    if groups is None:
        groups = torch.zeros_like(scores, dtype=torch.long)
    elif groups.shape != scores.shape:
        raise ValueError(
            f'rotated_nms: expected groups {tuple(scores.shape)}, got {tuple(groups.shape)}'
        )
    order = scores.argsort(descending=True, stable=True)
    order = order[groups[order].argsort(stable=True)]
    order = _first_of_each_group(order, groups, pre_max_size)
    kept = order[_suppress(_usable(boxes[order]), groups[order], iou_threshold)]
    return _first_of_each_group(kept, groups, post_max_size)


def _usable(boxes: Tensor) -> Tensor:
    """Boxes in float64; those of non-positive size or with non-finite numbers become zero."""
    boxes = boxes.double()
    usable = boxes.isfinite().all(-1, keepdim=True) & (boxes[..., 2:4] > 0).all(-1, keepdim=True)
    return torch.where(usable, boxes, 0)


def _clamped_integral(
    start: Tensor, step: Tensor, half_width: Tensor, half_height: Tensor
) -> Tensor:
    """Integral of X dY along segments, X and Y clamped to the rectangle around the origin.

    Args:
        start, step: (2, 4, ...) x and y of the segments' start points and start-to-end vectors.
        half_width, half_height: (...) of the rectangle.
    """
    x, y = start
    dx, dy = step
    safe = torch.where(dy.abs() < TINY, TINY, dy)
    middle, reach = -y / safe, (half_height / safe).abs()
    enter, leave = (middle - reach).clamp(0, 1), (middle + reach).clamp(0, 1)  # |Y| <= half_height
    safe = torch.where(dx.abs() < TINY, TINY, dx)
    middle, reach = -x / safe, (half_width / safe).abs()
    bends = (middle - reach).clamp(enter, leave) + (middle + reach).clamp(enter, leave)
    x_enter = (x + enter * dx).clamp(-half_width, half_width)
    x_leave = (x + leave * dx).clamp(-half_width, half_width)
    # X is constant before the first bend and after the second, linear between them
    return dy / 2 * (x_enter * (bends - 2 * enter) + x_leave * (2 * leave - bends))


def _suppress(boxes: Tensor, groups: Tensor, iou_threshold: float) -> Tensor:
    """Mask (N,) of the boxes kept by NMS.

    Args:
        boxes: (N, 5) float64, each group sorted by descending score.
        groups: (N,) int64.
        iou_threshold: 0 to 1.
    """
    better, worse = _close_pairs(boxes, groups)
    if len(better) > PAIRS_AT_ONCE:  # a box must be decided before it suppresses others
        order = better.argsort()
        better, worse = better[order], worse[order]
    kept = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    for i, j in zip(better.split(PAIRS_AT_ONCE), worse.split(PAIRS_AT_ONCE), strict=True):
        open_ = kept[i] & kept[j]
        i, j = i[open_], j[open_]
        overlap = rotated_iou(boxes[i], boxes[j]) > iou_threshold
        kept = _greedy(i[overlap], j[overlap], kept)
    return kept


def _close_pairs(boxes: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Pairs i < j of one group whose circumscribed circles meet, by a sweep along x."""
    x, y, w, h, _ = boxes.unbind(1)
    radius = torch.hypot(w, h) / 2
    low, by_low = (x - radius).sort()
    # Group and rank among all left ends form one exact integer sort key.
    index = torch.arange(len(x) + 1, device=x.device)
    rank = torch.empty_like(by_low).scatter_(0, by_low, index[:-1])
    sweep = by_low[groups[by_low].argsort(stable=True)]
    base = groups[sweep] * len(index)
    reach = torch.searchsorted(low, (x + radius)[sweep], right=True)
    last = torch.searchsorted(base + rank[sweep], base + reach)
    partners = last - index[1:]
    left = torch.repeat_interleave(partners)
    before = (partners.cumsum(0) - partners - index[1:])[left]
    right = torch.arange(len(left), device=x.device) - before
    left, right = sweep[left], sweep[right]
    dx, dy, radii = (
        part[left] + sign * part[right] for part, sign in ((x, -1), (y, -1), (radius, 1))
    )
    close = torch.hypot(dx, dy) < radii
    left, right = left[close], right[close]
    return left.minimum(right), left.maximum(right)


def _greedy(better: Tensor, worse: Tensor, candidates: Tensor) -> Tensor:
    """Mask (N,) of the candidates that are not suppressed by a better kept candidate.

    Fixed-point iteration over all boxes at once. A box is decided at the latest one round after
    the better boxes that overlap it. So the only fixed point is the greedy result, reached in as
    many rounds as the longest chain of overlapping boxes.
    """
    kept = candidates
    while True:
        hits = torch.zeros(len(kept), dtype=torch.int32, device=kept.device)
        hits.index_add_(0, worse, kept[better].int())
        updated = candidates & (hits == 0)
        if torch.equal(updated, kept):
            return kept
        kept = updated


def _first_of_each_group(indices: Tensor, groups: Tensor, size: int | None) -> Tensor:
    """The first ``size`` indices of each group; the indices are sorted by group."""
    if size is None:
        return indices
    ordered = groups[indices]
    position = torch.arange(len(indices), device=indices.device)
    return indices[position - torch.searchsorted(ordered, ordered) < size]
