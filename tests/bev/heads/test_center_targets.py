"""Vectorised targets equal mmdet3d's loop over boxes."""

import pytest
import torch
from mmdet3d.models.dense_heads import CenterHead
from mmdet3d.structures import LiDARInstance3DBoxes
from mmengine.structures import InstanceData

from tests.bev.heads.test_center_head import build_head

SIX_TASKS = [1, 2, 2, 1, 2, 2]


def random_boxes(count: int) -> InstanceData:
    """Boxes of all sizes, some outside the map, some of size zero."""
    boxes = torch.cat(
        (
            (torch.rand(count, 2) - 0.5) * 120,
            torch.randn(count, 1),
            torch.rand(count, 3) * 12 + 0.2,
            torch.rand(count, 1) * 6 - 3,
            torch.randn(count, 2) * 3,
        ),
        1,
    )
    boxes[::9, 3] = 0
    labels = torch.randint(0, 10, (count,))
    return InstanceData(bboxes_3d=LiDARInstance3DBoxes(boxes, box_dim=9), labels_3d=labels)


@pytest.mark.parametrize('count', [0, 1, 60, 200])
@pytest.mark.parametrize('tasks', [[10], SIX_TASKS])
def test_equal_to_the_loop(count, tasks):
    head = build_head(tasks=_tasks(tasks))
    head.train_cfg['max_objs'] = 100  # fewer than the boxes of the last case
    truth = random_boxes(count)
    ours, theirs = head.get_targets_single(truth), CenterHead.get_targets_single(head, truth)
    for task in range(len(tasks)):
        heatmap, boxes, cells, mask = (part[task] for part in ours)
        assert torch.equal(heatmap, theirs[0][task])
        torch.testing.assert_close(boxes, theirs[1][task])
        assert torch.equal(cells, theirs[2][task])
        assert torch.equal(mask, theirs[3][task])


def _tasks(sizes: list[int]) -> list[dict]:
    names = iter('abcdefghij')
    return [dict(num_class=n, class_names=[next(names) for _ in range(n)]) for n in sizes]
