"""Ground-truth boxes of one keyframe."""

from __future__ import annotations

from mmcv.transforms import BaseTransform
from mmdet3d.registry import TRANSFORMS

from ..structures import lidar_to_ego_boxes


@TRANSFORMS.register_module()
class LoadEgoBoxes(BaseTransform):
    """Set ``gt_bboxes_3d`` (ego frame) and ``gt_labels_3d`` from ``ann_info`` (LiDAR frame)."""

    def transform(self, results: dict) -> dict:
        annotations = results['ann_info']
        results['gt_bboxes_3d'] = lidar_to_ego_boxes(
            annotations['gt_bboxes_3d'], results['lidar2ego']
        )
        results['gt_labels_3d'] = annotations['gt_labels_3d']
        return results
