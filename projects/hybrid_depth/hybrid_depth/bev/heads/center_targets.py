"""Vectorised training targets of the centre head."""

from __future__ import annotations

import torch
from torch import Tensor


def center_targets(
    boxes: Tensor, classes: Tensor, num_classes: int, cfg: dict, log_size: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Targets of one task and one sample; values equal to mmdet3d 1.4's loop over boxes.

    Args:
        boxes: (K, 9) gravity centre, size, yaw, velocity in the frame of the BEV map; only the
            first ``max_objs`` are used.
        classes: (K,) int64, class within the task.
        num_classes: classes of the task.
        cfg: ``train_cfg`` of ``CenterHead``.
        log_size: regress the logarithm of the size.

    Returns:
        Heat map (num_classes, Y, X); box targets (max_objs, 10) of offset, z, size, sin and cos of
        the yaw, velocity; cell of each box (max_objs,) int64; validity (max_objs,) uint8.
    """
    max_objs = cfg['max_objs'] * cfg['dense_reg']
    cell = boxes.new_tensor(cfg['voxel_size'][:2]) * cfg['out_size_factor']
    width, height = (int(n) // cfg['out_size_factor'] for n in cfg['grid_size'][:2])
    boxes, classes = boxes[:max_objs], classes[:max_objs]

    centre = (boxes[:, :2] - boxes.new_tensor(cfg['point_cloud_range'][:2])) / cell
    x, y = centre.long().unbind(1)  # toward zero, as mmdet3d does
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    counted = inside & (boxes[:, 3:5] > 0).all(1)

    size = boxes[:, 3:5] / cell
    radius = _radius(size.sum(1), size.prod(1), cfg['gaussian_overlap'])
    radius = radius.nan_to_num().int().clamp(min=cfg['min_radius'])
    heatmap = _draw(
        boxes.new_zeros(num_classes, height, width),
        *(t[counted] for t in (classes, y, x, radius)),
    )

    dims = boxes[:, 3:6].log() if log_size else boxes[:, 3:6]
    yaw = boxes[:, 6:7]
    offset = centre - torch.stack((x, y), 1)
    values = torch.cat((offset, boxes[:, 2:3], dims, yaw.sin(), yaw.cos(), boxes[:, 7:9]), 1)
    anno_box = boxes.new_zeros(max_objs, 10)
    index = classes.new_zeros(max_objs)
    mask = torch.zeros(max_objs, dtype=torch.uint8, device=boxes.device)
    slots = counted.nonzero().squeeze(1)
    anno_box[slots] = values[slots]
    index[slots] = (y * width + x)[slots]
    mask[slots] = 1
    return heatmap, anno_box, index, mask


def _radius(total: Tensor, area: Tensor, overlap: float) -> Tensor:
    """CornerNet's radius as in CenterPoint, (K,) cells: the smallest of three corner shifts.

    Args:
        total: (K,) length plus width, cells.
        area: (K,) length times width.
        overlap: smallest IoU of a box with shifted corners.
    """
    quadratics = (
        (1, total, area * (1 - overlap) / (1 + overlap)),
        (4, 2 * total, (1 - overlap) * area),
        (4 * overlap, -2 * overlap * total, (overlap - 1) * area),
    )
    roots = [(b + (b**2 - 4 * a * c).sqrt()) / 2 for a, b, c in quadratics]
    return torch.stack(roots).amin(0)


def _draw(heatmap: Tensor, classes: Tensor, y: Tensor, x: Tensor, radius: Tensor) -> Tensor:
    """Draw the maximum of one Gaussian per box, cut off at its radius, into (C, Y, X)."""
    if len(radius) == 0:
        return heatmap
    reach = int(radius.max())
    step = torch.arange(-reach, reach + 1, device=heatmap.device)
    dy, dx = step.view(1, -1, 1), step.view(1, 1, -1)
    radius = radius.view(-1, 1, 1)
    sigma = (2 * radius + 1).double() / 6
    bell = torch.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma))
    bell = bell.masked_fill(bell < torch.finfo(bell.dtype).eps, 0)

    _, height, width = heatmap.shape
    rows, columns = y.view(-1, 1, 1) + dy, x.view(-1, 1, 1) + dx
    drawn = (dy.abs() <= radius) & (dx.abs() <= radius)
    drawn = drawn & (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    cells = (classes.view(-1, 1, 1) * height + rows) * width + columns
    flat = heatmap.flatten().scatter_reduce(0, cells[drawn], bell[drawn].to(heatmap), 'amax')
    return flat.view_as(heatmap)
