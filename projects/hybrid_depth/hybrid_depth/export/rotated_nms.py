"""NMS of an exported detector's boxes; numpy alone."""

from __future__ import annotations

import numpy as np

from .calibration import Array

ROUNDING = 1e-12  # as in ops/rotated_nms.py
TINY = 1e-200


def rotated_iou(boxes: Array, others: Array) -> Array:
    """Intersection over union (n,) of pairs of rotated boxes (n, 5): ``ops.rotated_iou``."""
    x, y, w, h, angle = _usable(boxes).T
    other_x, other_y, other_w, other_h, other_angle = _usable(others).T
    dx, dy, cos, sin = x - other_x, y - other_y, np.cos(other_angle), np.sin(other_angle)
    centre = np.stack((dx * cos + dy * sin, dy * cos - dx * sin))
    cos, sin = np.cos(angle - other_angle), np.sin(angle - other_angle)
    along, across = np.stack((w * cos, w * sin)), np.stack((-h * sin, h * cos))
    first = centre - (along + across) / 2
    corners = np.stack((first, first + along, first + along + across, first + across), 1)
    edges = np.stack((along, across, -along, -across), 1)
    area, other_area = w * h, other_w * other_h
    smaller = np.minimum(area, other_area)
    inside = _clamped_integral(corners, edges, other_w / 2, other_h / 2).sum(0)
    inside = np.minimum(inside, smaller)
    overlap = inside > ROUNDING * smaller
    union = area + other_area - inside
    return np.where(overlap, inside / np.where(overlap, union, 1), 0)


def rotated_nms(
    boxes: Array, scores: Array, iou_threshold: float, pre_max_size: int, post_max_size: int
) -> Array:
    """Greedy NMS of one sample: ``ops.rotated_nms``.

    Args:
        boxes: (n, 5) x, y, size along and across the heading, heading.
        scores: (n,).
        iou_threshold: 0 to 1.
        pre_max_size, post_max_size: number of best boxes that enter NMS and are returned.

    Returns:
        (k,) int64 indices, by descending score.
    """
    order = np.argsort(-scores, kind='stable')[:pre_max_size]
    boxes = _usable(boxes[order])
    i, j = np.triu_indices(len(boxes), 1)
    radius = np.hypot(boxes[:, 2], boxes[:, 3]) / 2
    distance = np.hypot(*(boxes[i, :2] - boxes[j, :2]).T)
    close = distance < radius[i] + radius[j]
    i, j = i[close], j[close]
    overlap = rotated_iou(boxes[i], boxes[j]) > iou_threshold
    return order[_greedy(len(boxes), i[overlap], j[overlap])][:post_max_size]


def circle_nms(
    centres: Array, scores: Array, squared_distance: float, pre_max_size: int, post_max_size: int
) -> Array:
    """Greedy NMS by squared distance of centres (n, 2): mmdet3d's ``circle_nms``."""
    order = np.argsort(-scores, kind='stable')[:pre_max_size]
    i, j = np.triu_indices(len(order), 1)
    offset = centres[order[i]] - centres[order[j]]
    near = (offset**2).sum(1) <= squared_distance
    return order[_greedy(len(order), i[near], j[near])][:post_max_size]


def _greedy(count: int, better: Array, worse: Array) -> Array:
    """Mask of the boxes kept; the pairs are sorted by the better box."""
    kept = np.ones(count, bool)
    starts = np.searchsorted(better, np.arange(count + 1))
    for box in range(count):
        if kept[box]:
            kept[worse[starts[box] : starts[box + 1]]] = False
    return kept


def _usable(boxes: Array) -> Array:
    """Boxes in float64; those of non-positive size or with non-finite numbers become zero."""
    boxes = boxes.astype(np.float64)
    usable = np.isfinite(boxes).all(-1) & (boxes[:, 2:4] > 0).all(-1)
    return np.where(usable[:, None], boxes, 0)


def _clamped_integral(start: Array, step: Array, half_width: Array, half_height: Array) -> Array:
    """Integral of X dY along segments, X and Y clamped to the rectangle around the origin."""
    (x, y), (dx, dy) = start, step
    safe = np.where(np.abs(dy) < TINY, TINY, dy)
    middle, reach = -y / safe, np.abs(half_height / safe)
    enter, leave = (middle - reach).clip(0, 1), (middle + reach).clip(0, 1)
    safe = np.where(np.abs(dx) < TINY, TINY, dx)
    middle, reach = -x / safe, np.abs(half_width / safe)
    bends = (middle - reach).clip(enter, leave) + (middle + reach).clip(enter, leave)
    x_enter = (x + enter * dx).clip(-half_width, half_width)
    x_leave = (x + leave * dx).clip(-half_width, half_width)
    return dy / 2 * (x_enter * (bends - 2 * enter) + x_leave * (2 * leave - bends))
