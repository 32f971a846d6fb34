"""Ground-truth boxes of one keyframe."""

from __future__ import annotations

from mmcv.transforms import BaseTransform
from mmdet3d.registry import TRANSFORMS

from ..structures import lidar_to_ego_boxes


@TRANSFORMS.register_module()
class LoadEgoBoxes(BaseTransform):
    """Set ``gt_bboxes_3d`` (frame of ``lidar2boxes``) and ``gt_labels_3d`` from ``ann_info``."""

    def transform(self, results: dict) -> dict:
        annotations = results['ann_info']
        results['gt_bboxes_3d'] = lidar_to_ego_boxes(
            annotations['gt_bboxes_3d'], results['lidar2boxes']
        )
        results['gt_labels_3d'] = annotations['gt_labels_3d']
        return results
