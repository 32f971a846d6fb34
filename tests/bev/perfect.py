"""Perfect predictions, made from the ground truth."""

from __future__ import annotations

from collections.abc import Callable

import torch
from mmdet3d.structures import LiDARInstance3DBoxes
from mmengine.structures import InstanceData
from torch import Tensor

from hybrid_depth.bev.heads.center_head import ScaleNMSCenterHead
from hybrid_depth.bev.structures import ego_to_lidar_boxes, lidar_to_ego_boxes

# ego-frame boxes and labels -> ego-frame boxes, scores and labels
Detector = Callable[[LiDARInstance3DBoxes, Tensor], tuple[LiDARInstance3DBoxes, Tensor, Tensor]]


def echo(boxes: LiDARInstance3DBoxes, labels: Tensor):
    """Detector that returns the ground truth with score 1."""
    return boxes, torch.ones(len(boxes)), labels


def through_head(head: ScaleNMSCenterHead) -> Detector:
    """Detector whose head outputs equal the head's training targets (one task)."""

    def detect(boxes: LiDARInstance3DBoxes, labels: Tensor):
        truth = InstanceData(bboxes_3d=boxes, labels_3d=labels)
        (heatmap,), (target,), (cell,), (valid,) = head.get_targets([truth])
        rows, columns = heatmap.shape[-2:]
        regression = torch.zeros(1, 10, rows * columns)
        valid = valid[0].bool()
        regression[0, :, cell[0, valid]] = target[0, valid].T
        regression = regression.view(1, 10, rows, columns)
        names = dict(reg=2, height=1, dim=3, rot=2, vel=2)
        maps = dict(zip(names, regression.split(list(names.values()), 1), strict=True))
        maps['heatmap'] = torch.where(heatmap == 1, 9.0, -9.0)  # only the cells of the centres
        (found,) = head.predict_by_feat(([maps],), [dict(box_type_3d=LiDARInstance3DBoxes)])
        return found.bboxes_3d, found.scores_3d, found.labels_3d

    return detect


def perfect_prediction(info: dict, detector: Detector = echo) -> dict:
    """Ground-truth boxes of a sample, from the ego frame through a detector, to the LiDAR frame.

    Args:
        info: ``NuScenesBEVDataset.get_data_info(i)``.
        detector: encodes and decodes ego-frame boxes.

    Returns:
        Input of ``BEVDetectionMetric.process``.
    """
    truth = info.get('ann_info', info.get('eval_ann_info'))
    known = truth['gt_labels_3d'] >= 0
    boxes = lidar_to_ego_boxes(truth['gt_bboxes_3d'][known], info['lidar2boxes'])
    boxes, scores, labels = detector(boxes, torch.from_numpy(truth['gt_labels_3d'][known]))
    return dict(
        token=info['token'],
        pred_instances_3d=dict(
            bboxes_3d=ego_to_lidar_boxes(boxes, info['lidar2boxes']),
            scores_3d=scores,
            labels_3d=labels,
        ),
    )
