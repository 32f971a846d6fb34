import numpy as np
import pytest
import torch
from mmdet3d.models.layers import circle_nms as reference_circle_nms

from hybrid_depth import ops
from hybrid_depth.export.rotated_nms import circle_nms, rotated_iou, rotated_nms


def random_boxes(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    boxes = rng.random((count, 5)) * [20, 20, 4, 3, 7]
    boxes[0] = boxes[1]  # a common edge on all sides
    boxes[2, 2], boxes[3, 4] = 0, np.nan
    return boxes.astype(np.float32), rng.random(count).astype(np.float32)


def test_overlap_of_every_pair():
    boxes, _ = random_boxes(0, 60)
    i, j = (index.ravel() for index in np.indices((60, 60)))
    tensors = torch.from_numpy(boxes)
    expected = ops.rotated_iou(tensors[i], tensors[j]).numpy()
    assert (expected > 0.1).sum() > 50
    np.testing.assert_allclose(rotated_iou(boxes[i], boxes[j]), expected, atol=1e-12)


@pytest.mark.parametrize('limits', [(1000, 500), (100, 20)])
@pytest.mark.parametrize('threshold', [0.05, 0.5])
def test_kept_boxes_are_those_of_the_detector(limits, threshold):
    for seed in range(3):
        boxes, scores = random_boxes(seed, 300)
        kept = rotated_nms(boxes, scores, threshold, *limits)
        given = torch.from_numpy(boxes), torch.from_numpy(scores), threshold
        expected = ops.rotated_nms(*given, None, *limits)
        assert 0 < len(expected) < 300 and kept.tolist() == expected.tolist()


def test_circle_nms_is_that_of_mmdet3d():
    boxes, scores = random_boxes(4, 200)
    rows = np.concatenate((boxes[:, :2], scores[:, None]), 1)
    for distance, limit in ((4.0, 500), (1.0, 30)):
        expected = reference_circle_nms(rows, distance, limit)
        kept = circle_nms(boxes[:, :2], scores, distance, 500, limit)
        assert 0 < len(kept) < 200 and kept.tolist() == list(expected)


def test_no_box_is_none_kept():
    none = np.zeros((0, 5), np.float32)
    assert len(rotated_nms(none, none[:, 0], 0.5, 10, 10)) == 0
