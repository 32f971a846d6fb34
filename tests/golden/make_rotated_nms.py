"""Results of mmcv's compiled rotated ops, stored in rotated_nms.npz.

Made once with mmcv 2.1.0 compiled for the CPU, mmdet3d 1.4.0 and PyTorch 2.13 by

    python -m tests.golden.make_rotated_nms

For each box set: float32 boxes (N, 5) and ``iou`` (N, N) of mmcv.ops.box_iou_rotated. For the
first two also scores (N,), ``kept@T`` of mmcv.ops.nms_rotated at IoU threshold T, and ``bev@T`` of
mmdet3d's nms_bev with pre_max_size 200 and post_max_size 40. The others are errors of mmcv.

- detections: 250 of 30 road users, and exact copies of 50;
- scattered: without structure, turned by up to 10 rad;
- turned: each rectangle is followed by itself with sizes swapped and a quarter turn more. For some
  of these pairs rounding puts a corner of either box outside the other, and mmcv loses it: instead
  of 1 the IoU is as little as 0.7;
- millimetres: each box, of about a square millimetre, is followed by its copy. mmcv merges corners
  that are closer than 0.1 mm or span less than a square millimetre; the IoU of most copies is 1/3.
"""

import math
from pathlib import Path

import numpy as np
import torch

from benchmarks.rotated_nms import detections

FILE = Path(__file__).with_name('rotated_nms.npz')
THRESHOLDS = (0.05, 0.2, 0.5)


def box_sets() -> dict[str, tuple[torch.Tensor, torch.Tensor | None]]:
    """Boxes and scores of each set."""
    boxes, scores = detections(250, 30)
    boxes, scores = torch.cat((boxes, boxes[:50])), torch.cat((scores, 0.9 * scores[:50]))
    draw = torch.Generator().manual_seed(1)
    scattered = torch.rand(150, 5, generator=draw)
    scattered = scattered * torch.tensor([20, 20, 6, 6, 20.0]) - torch.tensor([10, 10, 0, 0, 10.0])
    scattered[:, 2:4] += 0.3
    turned = scattered[:20].repeat_interleave(2, 0)
    turned[1::2] = turned[1::2, [0, 1, 3, 2, 4]]
    turned[1::2, 4] += math.pi / 2
    small = scattered[:20].repeat_interleave(2, 0) * torch.tensor([1e-3, 1e-3, 2e-4, 2e-4, 1])
    return {
        'detections': (boxes, scores),
        'scattered': (scattered, torch.rand(len(scattered), generator=draw)),
        'turned': (turned, None),
        'millimetres': (small, None),
    }


def main() -> None:
    """Write the file."""
    from mmcv.ops import box_iou_rotated, nms_rotated
    from mmdet3d.models.layers import nms_bev
    from mmdet3d.structures import xywhr2xyxyr

    arrays = {}
    for name, (boxes, scores) in box_sets().items():
        arrays[f'{name}.boxes'] = boxes.numpy()
        arrays[f'{name}.iou'] = box_iou_rotated(boxes, boxes).numpy()
        if scores is None:
            continue
        arrays[f'{name}.scores'] = scores.numpy()
        for threshold in THRESHOLDS:
            kept = nms_rotated(boxes, scores, threshold)[1]
            bev = nms_bev(xywhr2xyxyr(boxes), scores, threshold, 200, 40)
            arrays[f'{name}.kept@{threshold}'] = kept.numpy().astype(np.int16)
            arrays[f'{name}.bev@{threshold}'] = bev.numpy().astype(np.int16)
    np.savez_compressed(FILE, **arrays)


if __name__ == '__main__':
    main()
