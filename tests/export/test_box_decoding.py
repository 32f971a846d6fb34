"""Decoding and NMS by numpy against the head's."""

import numpy as np
import pytest
import torch
from mmdet3d.structures import LiDARInstance3DBoxes

from hybrid_depth.export.detector import task_specs
from hybrid_depth.export.onnx_bevdet import detections
from tests.bev.heads.test_center_head import HEAD, build_head, fixed_outputs, six_task_head

VARIANTS = {
    'one': build_head,
    'six': six_task_head,
    'peaks': lambda: build_head(test_cfg=dict(HEAD.test_cfg, peak_kernel=3)),
    'probability': lambda: build_head(
        test_cfg=dict(HEAD.test_cfg, peak_kernel=3, scores='probability'),
        bbox_coder=dict(HEAD.bbox_coder, score_threshold=1e-4),
    ),
    'circle': lambda: build_head(
        test_cfg=dict(HEAD.test_cfg, nms_type='circle', min_radius=[4], post_max_size=30)
    ),
    'linear size': lambda: build_head(norm_bbox=False),
}


@pytest.mark.parametrize('variant', VARIANTS)
def test_boxes_are_those_of_the_head(variant):
    head = VARIANTS[variant]()
    maps = [fixed_outputs(task, count) for task, count in enumerate(head.num_classes)]
    batch = [{name: torch.cat((x, x.flip(-1))) for name, x in task.items()} for task in maps]
    specs = task_specs(head)
    outputs = {f'{n}_{i}': x.numpy() for i, task in enumerate(batch) for n, x in task.items()}
    outputs['depth'] = np.zeros((2, 6, 1, 1), np.float32)
    metas = [dict(box_type_3d=LiDARInstance3DBoxes)] * 2
    expected = head.predict_by_feat(tuple([task] for task in batch), metas)
    for found, result in zip(detections(specs, outputs), expected, strict=True):
        assert len(found.scores) > 20
        assert found.labels.tolist() == result.labels_3d.tolist()
        np.testing.assert_allclose(found.scores, result.scores_3d.numpy(), atol=1e-6)
        np.testing.assert_allclose(found.boxes, result.bboxes_3d.tensor.numpy(), atol=2e-5)


def test_an_empty_map_has_no_boxes():
    head = build_head()
    maps = fixed_outputs(0, 10)
    maps['heatmap'] -= 100
    outputs = {f'{name}_0': x.numpy() for name, x in maps.items()}
    (found,) = detections(task_specs(head), dict(outputs, depth=np.zeros((1, 1, 1, 1))))
    assert found.boxes.shape == (0, 9) and len(found.labels) == 0
