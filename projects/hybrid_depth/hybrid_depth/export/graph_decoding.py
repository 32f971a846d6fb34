"""Decoding and NMS of a centre head in operators that ONNX has, for files that contain them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..bev.heads.centre_probability import centre_probability
from ..ops import rotated_iou
from .box_decoding import TaskSpec


class Decoding(nn.Module):
    """Best cells of a head's maps as boxes, optionally after NMS.

    Args:
        task: decoding and NMS.
        nms: apply NMS.
    """

    def __init__(self, task: TaskSpec, nms: bool):
        super().__init__()
        self.task, self.nms = task, nms

    def forward(self, maps: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Maps (B, c, Y, X) by name -> boxes (B, K, 9) around their gravity centre, scores (B, K)
        and labels (B, K) int64 of the task, by descending score; the score of boxes that are out of
        range, below the threshold or suppressed is 0."""
        task, heatmap = self.task, maps['heatmap'].sigmoid()
        height, width = (int(size) for size in heatmap.shape[-2:])
        if task.peak_kernel:
            kernel = task.peak_kernel
            highest = F.max_pool2d(heatmap, kernel, stride=1, padding=kernel // 2)
            heatmap = heatmap * (heatmap == highest).to(heatmap)
        if task.probability_scores:
            heatmap = centre_probability(heatmap)
        cells = len(task.classes) * height * width
        scores, index = heatmap.flatten(1).topk(min(task.max_num, cells))
        labels, place = index // (height * width), index % (height * width)
        values = {
            name: x.flatten(2).gather(2, place.unsqueeze(1).expand(-1, x.shape[1], -1))
            for name, x in maps.items()
            if name != 'heatmap'
        }
        cell = torch.stack((place % width, place // width), 1).to(heatmap)
        scale, corner = (torch.tensor(x).view(1, 2, 1) for x in (task.cell, task.corner))
        centre = torch.cat(((cell + values['reg']) * scale + corner, values['height']), 1)
        size = values['dim'].exp() if task.log_size else values['dim']
        yaw = torch.atan2(values['rot'][:, 0:1], values['rot'][:, 1:2])
        lower, upper = (
            torch.tensor(x).view(1, 3, 1) for x in (task.centre_range[:3], task.centre_range[3:])
        )
        valid = ((centre >= lower) & (centre <= upper)).all(1) & (scores > task.score_threshold)
        boxes = torch.cat((centre, size, yaw, values['vel']), 1).transpose(1, 2)
        scores = scores * valid.to(scores)
        if self.nms:
            scores = scores * self._kept(boxes, scores > 0, labels).to(scores)
        return boxes, scores, labels

    def _kept(self, boxes: Tensor, valid: Tensor, labels: Tensor) -> Tensor:
        """(B, K) bool: what NMS leaves of the valid boxes, sorted by score."""
        task, count = self.task, boxes.shape[1]
        if task.nms_type == 'circle':
            offset = boxes[:, :, None, :2] - boxes[:, None, :, :2]
            overlap = (offset**2).sum(-1) <= task.nms_threshold
        else:
            factors = torch.tensor(task.nms_factors)[labels].unsqueeze(-1)
            flat = torch.cat((boxes[..., :2], boxes[..., 3:5] * factors, boxes[..., 6:7]), -1)
            overlap = rotated_iou(flat.unsqueeze(2), flat.unsqueeze(1)) > task.nms_threshold
            rank = valid.long().cumsum(1)
            valid = valid & (rank <= task.pre_max_size)
        pairs = overlap & valid.unsqueeze(2) & valid.unsqueeze(1)
        better = torch.ones(count, count, dtype=torch.bool).triu(1)
        kept = greedy((pairs & better).float()) & valid
        return kept & (kept.long().cumsum(1) <= task.post_max_size)


@torch.jit.script
def greedy(suppresses: Tensor) -> Tensor:
    """Greedy NMS of boxes sorted by score, by fixed-point iteration as in ``ops.rotated_nms``.

    A script, which the exporter writes as a Loop.

    Args:
        suppresses: (B, K, K) 1 where the first box suppresses the second if it is kept itself.

    Returns:
        (B, K) bool.
    """
    kept = torch.ones_like(suppresses[:, 0])
    changing = True
    while changing:
        hits = torch.matmul(kept.unsqueeze(1), suppresses).squeeze(1)
        updated = (hits < 0.5).float()  # a whole number
        changing = bool((updated != kept).any())
        kept = updated
    return kept > 0
