"""Depth metrics of a detector per camera and range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from terminaltables import AsciiTable
from torch import Tensor

from ...depth.evaluation.metrics import binned_sums, binned_table
from ..depth_nets.supervision import block_minimum_depth

EDGES = (0.0, 10.0, 20.0, 30.0, 40.0, 60.0, 80.0)
_SCORES = ('abs_rel', 'rmse', 'a1')


def rig_depth_sums(predicted: Tensor, lidar: Tensor) -> np.ndarray:
    """Depth error sums of one sample, by camera and range.

    The ground truth of a cell is its nearest LiDAR point, as in training
    (docs/reference/bevdet.md, "Depth target and loss"); cells without one are ignored.

    Args:
        predicted: (N, h, w) expected depth of each feature cell, metres.
        lidar: (N, H, W) metres, 0 = none.

    Returns:
        (N, 4, bins), see `binned_sums`.
    """
    truth = block_minimum_depth(lidar, tuple(predicted.shape[-2:])).double().cpu().numpy()
    predicted = predicted.double().cpu().numpy()
    return np.stack(
        [binned_sums(t[t > 0], p[t > 0], EDGES) for t, p in zip(truth, predicted, strict=True)]
    )


def rig_depth_report(sums: np.ndarray, cameras: Sequence[str]) -> dict:
    """Metrics from summed `rig_depth_sums`, overall, per camera and per distance: abs_rel, rmse
    (metres), a1 (fraction of cells with a ratio below 1.25) and the number of cells."""
    return dict(
        **_scores(sums.sum((0, 2))),
        cameras={name: _scores(total.sum(1)) for name, total in zip(cameras, sums, strict=True)},
        distances=binned_table(sums.sum(0), EDGES),
    )


def _scores(sums: np.ndarray) -> dict:
    cells, relative, squared, good = sums
    if not cells:
        return dict.fromkeys(_SCORES) | dict(cells=0)
    values = (relative / cells, np.sqrt(squared / cells), good / cells)
    return dict(zip(_SCORES, map(float, values), strict=True)) | dict(cells=int(cells))


def rig_depth_table(report: dict) -> str:
    """Table of a report."""
    rows = [['depth against LiDAR', 'cells', 'AbsRel', 'RMSE m', 'a1']]
    named = [('all', report), *report['cameras'].items()]
    for row in report['distances']:
        low, high = row['metres']
        named.append((f'{low:.0f}-{high:.0f} m', dict.fromkeys(_SCORES) | row))
    for name, scores in named:
        cells = scores.get('cells', scores.get('pixels'))
        values = [scores[key] for key in _SCORES]
        rows.append([name, cells, *('-' if v is None else f'{v:.3f}' for v in values)])
    return AsciiTable(rows).table
