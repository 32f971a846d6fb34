"""Real keyframe from the pipeline and from the devkit."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hybrid_depth.geometry import CameraRig
from hybrid_depth.visualization import SceneBoxes


@dataclass(frozen=True)
class RealKeyframe:
    """One packed sample, and its tables in the devkit."""

    packed: dict
    devkit: object

    @property
    def cam_names(self) -> list[str]:
        return self.packed['data_samples'].metainfo['cam_names']

    @property
    def rig(self) -> CameraRig:
        return CameraRig.collate([self.packed['inputs']['rig']])

    def full_size_rig(self) -> CameraRig:
        return replace(self.rig, img_aug=torch.eye(3).double().expand(1, 6, 3, 3))

    @property
    def true(self) -> SceneBoxes:
        """Ground-truth boxes in the ego frame."""
        from hybrid_depth.bev.structures import lidar_to_ego_boxes

        sample = self.packed['data_samples']
        boxes = sample.eval_ann_info['gt_bboxes_3d']
        ego_boxes = lidar_to_ego_boxes(boxes, sample.metainfo['lidar2ego'])
        return SceneBoxes.from_ego(ego_boxes, sample.eval_ann_info['gt_labels_3d'])

    def devkit_boxes(self, cam_name: str) -> tuple[np.ndarray, list]:
        """(3, 3) intrinsics and the devkit's boxes in the frame of the camera."""
        token = self.devkit.sample[0]['data'][cam_name]
        _, boxes, intrinsic = self.devkit.get_sample_data(token)
        return intrinsic, boxes


@pytest.fixture(scope='session')
def real_keyframe(real_data: Path, tmp_path_factory) -> RealKeyframe:
    pytest.importorskip('mmdet3d')
    from nuscenes import NuScenes

    from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
    from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos

    root, infos = real_data / 'nuscenes_keyframe', tmp_path_factory.mktemp('infos')
    create_nuscenes_infos(root, 'v1.0-mini', infos)
    dataset = NuScenesBEVDataset(
        data_root=str(root),
        ann_file=str(infos / 'nuscenes_infos_train.pkl'),
        test_mode=True,
        pipeline=[
            dict(type='mmdet3d.LoadMultiViewImages'),
            dict(type='mmdet3d.ImageAugmentation', final_size=(256, 704), random=False),
            dict(type='mmdet3d.PackBEVInputs'),
        ],
    )
    return RealKeyframe(dataset[0], NuScenes('v1.0-mini', str(root), verbose=False))
