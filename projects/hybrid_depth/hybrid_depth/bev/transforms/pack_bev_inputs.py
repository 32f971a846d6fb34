"""Packing of a sample: tensors for the model, boxes and meta information."""

from __future__ import annotations

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet3d.registry import TRANSFORMS
from mmdet3d.structures import Det3DDataSample
from mmengine.structures import InstanceData

from ...foundation.images import pixel_tensor
from ..structures import INPUT_MAPS

_RIG_KEYS = ('cam2img', 'cam2ego', 'img_aug', 'bda', 'ego2global')
_META_KEYS = (
    'box_mode_3d', 'box_type_3d', 'cam_names', 'img_path', 'lidar2boxes', 'lidar2ego',
    'lidar_path', 'num_pts_feats', 'sample_idx', 'scene_token', 'sequence', 'timestamp', 'token',
)  # fmt: skip


def _frame(results: dict) -> dict:
    return dict(
        img=pixel_tensor(np.stack(results['img'])),
        rig={key: torch.from_numpy(np.asarray(results[key])) for key in _RIG_KEYS},
    )


@TRANSFORMS.register_module()
class PackBEVInputs(BaseTransform):
    """Pack a sample into ``inputs`` and ``data_samples``.

    ``inputs``: img (N, 3, H, W) uint8 RGB; rig, the five matrices of a ``CameraRig``
    as float64 (N leading, except bda and ego2global); gt_depth, pseudo_depth, physics_depth and
    true_depth (N, H, W) metres and ground_mask (N, H, W) bool if set by a transform; adjacent, a
    list of dict(img, rig), if the data set has earlier frames.

    ``data_samples``: gt_instances_3d (frame of lidar2boxes) where loaded; eval_ann_info (LiDAR
    frame) where the dataset gives it; meta information.
    """

    def transform(self, results: dict) -> dict:
        inputs = _frame(results)
        if 'adjacent' in results:
            bda = results['bda']
            inputs['adjacent'] = [_frame(dict(frame, bda=bda)) for frame in results['adjacent']]
        for name in INPUT_MAPS:
            if name in results:
                inputs[name] = torch.from_numpy(results[name])
        sample = Det3DDataSample(
            metainfo={key: results[key] for key in _META_KEYS if key in results}
        )
        if 'gt_bboxes_3d' in results:
            sample.gt_instances_3d = InstanceData(
                bboxes_3d=results['gt_bboxes_3d'],
                labels_3d=torch.from_numpy(results['gt_labels_3d']),
            )
        sample.eval_ann_info = results.get('eval_ann_info')
        return dict(inputs=inputs, data_samples=sample)
