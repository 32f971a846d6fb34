"""Boxes from the head's maps of an exported detector; numpy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .calibration import Array
from .rotated_nms import circle_nms, rotated_nms

MAPS = ('heatmap', 'reg', 'height', 'dim', 'rot', 'vel')  # outputs of a file, by task
BOXES = ('boxes', 'scores', 'labels')  # of a file that decodes them


@dataclass(frozen=True)
class TaskSpec:
    """Decoding and NMS of one task of a centre head (``ScaleNMSCenterHead``).

    Args:
        classes: names.
        cell: (x, y) size of a cell of the maps, metres.
        corner: (x, y) of the maps, metres.
        centre_range: (6,) lower and upper limits of box centres, metres.
        max_num: best cells that are decoded.
        score_threshold: boxes of this score or less are dropped.
        log_size: whether the maps have the logarithm of the size.
        peak_kernel: window of local maxima, cells; None decodes all cells.
        nms_type: ``rotate`` or ``circle``.
        nms_threshold: IoU, or the squared distance of ``circle``.
        nms_factors: factor of the BEV size of each class before rotated NMS.
        pre_max_size, post_max_size: boxes that enter NMS and are kept.
        probability_scores: whether scores are probabilities of a centre, not heat; files of older
            versions do not say, and have heat.
    """

    classes: Sequence[str]
    cell: Sequence[float]
    corner: Sequence[float]
    centre_range: Sequence[float]
    max_num: int
    score_threshold: float
    log_size: bool
    peak_kernel: int | None
    nms_type: str
    nms_threshold: float
    nms_factors: Sequence[float]
    pre_max_size: int
    post_max_size: int
    probability_scores: bool = False


@dataclass(frozen=True)
class Detections:
    """Boxes of one sample.

    Args:
        boxes: (n, 9) bottom centre x, y, z, size l, w, h, yaw, velocity x, y; metres, radians, m/s,
            in the ego frame.
        scores: (n,).
        labels: (n,) int64, index into the file's classes.
        depth: (N, h, w) expected depth of the cameras, metres.
    """

    boxes: Array
    scores: Array
    labels: Array
    depth: Array


def decode_task(task: TaskSpec, maps: Mapping[str, Array]) -> list[tuple[Array, Array, Array]]:
    """Best cells as boxes, before NMS: mmdet3d's ``CenterPointBBoxCoder``.

    Args:
        task: of the file.
        maps: heatmap (B, c, Y, X) logits, reg, height, dim, rot, vel.

    Returns:
        Per sample: boxes (n, 9) around their gravity centre, scores (n,), labels (n,) of the task,
        by descending score.
    """
    scores = _peaks(_sigmoid(maps['heatmap']), task.peak_kernel)
    if task.probability_scores:
        scores = _half(scores) / (_half(scores) + _half(1 - scores))
    b, _, height, width = scores.shape
    flat = scores.reshape(b, -1)
    count = min(task.max_num, flat.shape[1])
    best = np.argsort(-flat, axis=1, kind='stable')[:, :count]
    decoded = []
    for sample, cells in enumerate(best):
        label, place = np.divmod(cells, height * width)
        y, x = np.divmod(place, width)
        values = {
            name: array[sample].reshape(array.shape[1], -1)[:, place].astype(np.float32)
            for name, array in maps.items()
            if name != 'heatmap'
        }
        centre = np.stack((x, y)) + values['reg']
        centre = [
            centre[i] * np.float32(task.cell[i]) + np.float32(task.corner[i]) for i in range(2)
        ]
        size = np.exp(values['dim']) if task.log_size else values['dim']
        yaw = np.arctan2(values['rot'][0], values['rot'][1])
        boxes = np.stack((*centre, values['height'][0], *size, yaw, *values['vel']), 1)
        score, limits = flat[sample, cells], np.asarray(task.centre_range, np.float32)
        kept = (boxes[:, :3] >= limits[:3]).all(1) & (boxes[:, :3] <= limits[3:]).all(1)
        kept &= score > task.score_threshold
        decoded.append((boxes[kept].astype(np.float32), score[kept], label[kept]))
    return decoded


def scored_boxes(outputs: Mapping[str, Array], number: int) -> list[tuple[Array, ...]]:
    """Boxes of a task that the file has decoded, without those of score 0; as ``decode_task``."""
    parts = (outputs[f'{name}_{number}'] for name in BOXES)
    return [
        (boxes[scores > 0], scores[scores > 0], labels[scores > 0])
        for boxes, scores, labels in zip(*parts, strict=True)
    ]


def suppress(task: TaskSpec, boxes: Array, scores: Array, labels: Array) -> Array:
    """Indices of the boxes (n, 9) that NMS keeps, by descending score."""
    sizes = task.pre_max_size, task.post_max_size
    if task.nms_type == 'circle':
        # mmdet3d's circle NMS has no limit of the boxes that enter it
        sizes = len(boxes), task.post_max_size
        return circle_nms(boxes[:, :2], scores, task.nms_threshold, *sizes)
    scaled = boxes[:, [0, 1, 3, 4, 6]]
    scaled[:, 2:4] *= np.asarray(task.nms_factors, np.float32)[labels][:, None]
    return rotated_nms(scaled, scores, task.nms_threshold, *sizes)


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x.astype(np.float32)))


def _half(p: Array) -> Array:
    """One of the two terms of ``bev.heads.centre_probability``."""
    other = 1 - p
    return p**2 * (p - 2 * other * np.log(np.maximum(other, np.finfo(p.dtype).tiny)))


def _peaks(scores: Array, kernel: int | None) -> Array:
    """Scores (B, c, Y, X), zero outside local maxima of a window."""
    if kernel is None:
        return scores
    reach = kernel // 2
    padded = np.pad(scores, [(0, 0), (0, 0), (reach, reach), (reach, reach)], constant_values=-1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), (2, 3))
    return scores * (scores == windows.max((-2, -1)))
