"""Boxes between LiDAR and ego frame, with the real calibration and the official boxes."""

import numpy as np
import pytest
import torch
from mmdet3d.structures import LiDARInstance3DBoxes
from pyquaternion import Quaternion

from hybrid_depth.bev.structures import ego_to_lidar_boxes, lidar_to_ego_boxes, transform_boxes
from tests.datasets.roots import keyframe_dataset
from tests.golden.reader import Golden

BDA = Golden('bevdet_bda')
# of the real keyframe's car: a quarter turn with half a degree of roll and pitch
ROTATION = Quaternion(0.7077955119163518, -0.006492242056004365, 0.010646214713995808, -0.70630731)
LIDAR2EGO = ROTATION.transformation_matrix
LIDAR2EGO[:3, 3] = 0.943713, 0.0, 1.84023


def boxes_of(rows: list[list[float]]) -> LiDARInstance3DBoxes:
    return LiDARInstance3DBoxes(torch.tensor(rows), box_dim=9, origin=(0.5, 0.5, 0.5))


def random_boxes(number: int = 50) -> LiDARInstance3DBoxes:
    low = torch.tensor([-50.0, -50, -3, 0.5, 0.5, 0.5, -3.1, -9, -9])
    high = torch.tensor([50.0, 50, 3, 12, 3, 4, 3.1, 9, 9])
    return LiDARInstance3DBoxes(low + (high - low) * torch.rand(number, 9), box_dim=9)


def wrapped(angle: torch.Tensor) -> torch.Tensor:
    return torch.remainder(angle + np.pi, 2 * np.pi) - np.pi


def test_forward_in_the_lidar_frame_is_forward_in_the_ego_frame():
    """nuScenes' LiDAR has y forward: a box ahead of it is at +x of the ego, heading +x."""
    (row,) = lidar_to_ego_boxes(
        boxes_of([[0.0, 10, -1, 4, 2, 1.5, np.pi / 2, 0, 5]]), LIDAR2EGO
    ).tensor
    assert row[0].item() == pytest.approx(10.9, abs=0.1)
    assert row[1].item() == pytest.approx(0, abs=0.1)
    assert row[6].item() == pytest.approx(0, abs=0.02)
    assert row[7:].tolist() == pytest.approx([5, 0], abs=0.05)


def test_centres_are_rotated_in_3d():
    boxes = random_boxes()
    moved = lidar_to_ego_boxes(boxes, LIDAR2EGO)
    expected = boxes.gravity_center.double().numpy() @ LIDAR2EGO[:3, :3].T + LIDAR2EGO[:3, 3]
    np.testing.assert_allclose(moved.gravity_center.numpy(), expected, atol=2e-5)
    assert torch.equal(moved.dims, boxes.dims)


def test_transform_and_inverse():
    boxes = random_boxes()
    back = ego_to_lidar_boxes(lidar_to_ego_boxes(boxes, LIDAR2EGO), LIDAR2EGO).tensor
    assert (back[:, :6] - boxes.tensor[:, :6]).abs().max() < 2e-5
    # error of yaw-only boxes: the square of the tilt (0.025 rad)
    assert wrapped(back[:, 6] - boxes.tensor[:, 6]).abs().max() < 1e-3
    assert (back[:, 7:] - boxes.tensor[:, 7:]).abs().max() < 1e-2
    assert back.dtype == torch.float32


def test_input_is_not_changed_and_other_widths_work():
    boxes = LiDARInstance3DBoxes(torch.rand(3, 7))
    before = boxes.tensor.clone()
    assert lidar_to_ego_boxes(boxes, torch.from_numpy(LIDAR2EGO)).tensor.shape == (3, 7)
    assert torch.equal(boxes.tensor, before)
    assert len(ego_to_lidar_boxes(boxes[torch.zeros(3, dtype=torch.bool)], LIDAR2EGO)) == 0


def test_real_boxes_equal_the_official_ones(real_data, tmp_path):
    """Info file -> LiDAR -> ego -> ego at CAM_FRONT time, where the official boxes are."""
    info = keyframe_dataset(real_data, tmp_path).get_data_info(0)
    lidar = info['ann_info']['gt_bboxes_3d']
    ego = lidar_to_ego_boxes(lidar, info['lidar2ego'])
    cam_front = np.array(info['images']['CAM_FRONT']['ego2global'])
    boxes = transform_boxes(ego, np.linalg.inv(cam_front) @ info['ego2global'])
    BDA.check('gt_labels', info['ann_info']['gt_labels_3d'], 0)
    official = BDA['gt_boxes'].float()
    assert (boxes.gravity_center - official[:, :3]).abs().max() < 5e-4
    assert torch.allclose(boxes.dims, official[:, 3:6])
    assert wrapped(boxes.yaw - official[:, 6]).abs().max() < 2e-3  # another definition of yaw
