"""Thresholds, by faults of several sizes: small ones pass, larger ones are named."""

import re

import numpy as np
import pytest
from mmengine.registry import TRANSFORMS

from hybrid_depth.doctor.camera_extrinsics import check_extrinsics
from hybrid_depth.doctor.camera_order import check_camera_order, expected_heading
from hybrid_depth.doctor.depth_coverage import check_depth_coverage
from hybrid_depth.doctor.ego_frame import check_ego_frame
from hybrid_depth.doctor.image_resize import check_img_aug
from hybrid_depth.findings import ConventionError, NotCheckedError
from tests.doctor import planted


@TRANSFORMS.register_module()
class ShiftImages:
    """Images moved by some pixels, which img_aug does not know."""

    def __init__(self, pixels: int) -> None:
        self.pixels = pixels

    def __call__(self, results: dict) -> dict:
        move = (1, 0, self.pixels, 0, 1, 0)
        results['img'] = [image.transform(image.size, 0, move) for image in results['img']]
        return results


def named(check, case) -> bool:
    try:
        check(case)
    except ConventionError:
        return True
    return False


@pytest.mark.parametrize(('degrees', 'wrong'), [(0, False), (5, True), (45, True)])
def test_heading_of_the_cameras(toy_case, degrees, wrong):
    assert named(check_extrinsics, toy_case(planted.turn_cameras('y', degrees))) == wrong


@pytest.mark.parametrize(
    ('transform', 'wrong'),
    [
        (planted.rotation('x', 2), False),
        (planted.rotation('y', 4), True),
        (planted.rotation('x', 45), True),
        (planted.rotation('x', 180), True),
    ],
)
def test_tilt_of_the_lidar(toy_case, transform, wrong):
    assert named(check_ego_frame, toy_case(planted.move_lidar(transform))) == wrong


@pytest.mark.parametrize(('metres', 'wrong'), [(0.2, False), (0.5, True), (-1.84, True)])
def test_height_of_the_ego_frame(toy_case, metres, wrong):
    lift = np.eye(4)
    lift[2, 3] = metres
    assert named(check_ego_frame, toy_case(planted.move_lidar(lift))) == wrong


def test_axes_of_the_ego_frame(toy_case):
    """Without camera names that tell, the motion does."""

    def edit(info: dict) -> None:
        info['ego2global'] = (np.array(info['ego2global']) @ planted.rotation('z', 90)).tolist()

    with pytest.raises(ConventionError, match=r'a motion towards -\d\d degrees'):
        check_ego_frame(toy_case(edit))


@pytest.mark.parametrize(('pixels', 'wrong'), [(1, False), (6, True), (20, True)])
def test_shift_of_the_images(toy_case, pixels, wrong):
    case = toy_case()
    case.cfg.train_dataloader.dataset.dataset.pipeline.insert(
        3, dict(type='ShiftImages', pixels=pixels)
    )
    assert named(check_img_aug, case) == wrong


@pytest.mark.parametrize(('stop', 'wrong'), [(56.0, False), (15.0, True), (300.0, True)])
def test_depth_bins(toy_case, stop, wrong):
    case = toy_case()
    case.cfg.model.img_view_transformer.depth_bins.stop = stop
    for pipeline in (
        case.cfg.train_dataloader.dataset.dataset.pipeline,
        case.cfg.test_dataloader.dataset.pipeline,
    ):
        for transform in pipeline:
            if transform.type == 'LoadLidarDepth':
                transform.depth_range = (1.0, stop)
    assert named(check_depth_coverage, case) == wrong


@pytest.mark.parametrize('pair', [('CAM_BACK_LEFT', 'CAM_FRONT_LEFT')])
def test_exchanged_images(toy_case, toy_nuscenes, tmp_path, pair):
    """Files of a folder that does not tell the camera."""
    first, second = pair
    for name in planted.CAMERAS:
        folder = toy_nuscenes / 'samples' / name
        for path in folder.iterdir():
            target = tmp_path / path.name
            target.exists() or target.symlink_to(path)

    def edit(info: dict) -> None:
        images = info['images']
        paths = {name: tmp_path / images[name]['img_path'] for name in planted.CAMERAS}
        paths[first], paths[second] = paths[second], paths[first]
        for name in planted.CAMERAS:
            images[name]['img_path'] = str(paths[name])

    expected = f'the image of {first} fits the calibration of {second}|{second} fits'
    with pytest.raises(ConventionError) as caught:
        check_camera_order(toy_case(edit))
    assert re.search(expected, str(caught.value))


def test_headings_of_names():
    names = ('CAM_FRONT_LEFT', 'rear_right', 'CAM_BACK', 'camera_01')
    assert [expected_heading(name) for name in names] == [45, -135, 180, None]


def test_without_lidar(toy_case):
    def edit(info: dict) -> None:
        info['lidar_points']['lidar_path'] = 'absent.bin'

    case = toy_case(edit)
    for check in (check_extrinsics, check_ego_frame):
        with pytest.raises(NotCheckedError, match='needs LiDAR'):
            check(case)
    assert 'images not compared' in check_camera_order(case)


@pytest.mark.parametrize('seed', [9, 16, 21])
def test_random_augmentation_in_training_is_no_fault(toy_case, seed):
    """Rotated images with few whole patches were named."""
    case = toy_case()
    case.cfg.train_dataloader.dataset.dataset.pipeline[2].random = True
    np.random.seed(seed)
    check_img_aug(case)
