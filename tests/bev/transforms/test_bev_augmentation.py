"""BDA against the official transform (docs/reference/golden.md, "BEVDet": bevdet_bda.npz)."""

import numpy as np
import pytest
import torch
from mmdet3d.datasets.transforms import ObjectNameFilter, ObjectRangeFilter
from mmdet3d.structures import LiDARInstance3DBoxes

from hybrid_depth.bev.transforms.bev_augmentation import BEVAugmentation, BEVAugmentationParams
from hybrid_depth.datasets.nuscenes.infos import CLASSES
from tests.golden.reader import Golden

BDA = Golden('bevdet_bda')
RANGE = [-51.2, -51.2, -5.0, 51.2, 51.2, 3.0]


def truth() -> LiDARInstance3DBoxes:
    return LiDARInstance3DBoxes(BDA['gt_boxes'].float(), box_dim=9, origin=(0.5, 0.5, 0.5))


@pytest.mark.parametrize('number', range(4))
def test_matrix_boxes_and_filters_equal_the_official_ones(number):
    rotate, scale, flip_x, flip_y = BDA[f'{number}.params'].tolist()
    params = BEVAugmentationParams(rotate, scale, bool(flip_x), bool(flip_y))
    results = dict(gt_bboxes_3d=truth(), gt_labels_3d=BDA['gt_labels'].numpy(), bda=np.eye(4))
    results = BEVAugmentation().apply(results, params)
    BDA.check(f'{number}.matrix', results['bda'][:3, :3], 1e-6)
    BDA.check(f'{number}.boxes', results['gt_bboxes_3d'].tensor, 1e-6)
    results = ObjectNameFilter(list(CLASSES))(ObjectRangeFilter(RANGE)(results))
    BDA.check(f'{number}.boxes_in_range', results['gt_bboxes_3d'].tensor, 1e-6)
    BDA.check(f'{number}.labels_in_range', results['gt_labels_3d'], 0)


def test_boxes_are_transformed_as_their_corners():
    boxes = truth()
    corners = boxes.corners.double()
    params = BEVAugmentationParams(rotate=17, scale=1.04, flip_x=True, flip_y=False)
    params.apply(boxes)
    moved = corners @ torch.from_numpy(params.matrix()[:3, :3]).T
    distance = torch.cdist(moved, boxes.corners.double())
    assert distance.amin(2).max() < 1e-4  # a flip changes the order of the corners


def test_random_parameters():
    transform = BEVAugmentation()
    drawn = [transform.sample_params() for _ in range(200)]
    assert all(abs(p.rotate) <= 22.5 and 0.95 <= p.scale <= 1.05 for p in drawn)
    assert {(p.flip_x, p.flip_y) for p in drawn} == {(a, b) for a in (0, 1) for b in (0, 1)}
