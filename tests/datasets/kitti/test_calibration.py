import numpy as np
import pytest

from hybrid_depth.calibration_checks import check_camera, field_of_view
from hybrid_depth.datasets.kitti.calibration import (
    KittiCalibration,
    relative_cam2img,
)
from hybrid_depth.errors import DamagedFileError, DepthDataError
from tests.datasets import kitti_files


@pytest.fixture
def calibration(tmp_path):
    kitti_files.write_calibration(tmp_path)
    return KittiCalibration.from_folder(tmp_path)


def test_cameras_of_a_day(calibration):
    assert calibration.image_size == kitti_files.SIZE
    np.testing.assert_allclose(calibration.cam2img(2), [[72, 0, 61], [0, 72, 17], [0, 0, 1]])
    assert calibration.baseline(2, 3) == pytest.approx(kitti_files.BASELINE)
    assert calibration.baseline(3, 2) == pytest.approx(-kitti_files.BASELINE)


def test_points_left_of_the_vehicle_are_left_in_the_image(calibration):
    point = np.array([10.0, 2.0, 1.0, 1.0])  # ahead, left, up
    x, y, depth = calibration.velo_to_image(2) @ point
    assert depth == pytest.approx(10)
    assert (x / depth, y / depth) == pytest.approx((61 - 72 * 0.2, 17 - 72 * 0.1))


def test_real_calibration(real_data):
    real = KittiCalibration.from_folder(real_data / 'kitti_raw' / '2011_09_26')
    assert real.baseline(2, 3) == pytest.approx(0.5327, abs=1e-4)
    assert field_of_view(real.cam2img(2), real.image_size)[0] == pytest.approx(81.4, abs=0.1)


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='calib_cam_to_cam.txt'):
        KittiCalibration.from_folder(tmp_path)
    kitti_files.write_calibration(tmp_path)
    path = tmp_path / 'calib_cam_to_cam.txt'
    path.write_text(path.read_text().replace('P_rect_03', 'P_rect_xx'))
    with pytest.raises(DepthDataError, match='expected 12 numbers for P_rect_03, got 0'):
        KittiCalibration.from_folder(tmp_path)
    path.write_text('no numbers\n')
    with pytest.raises(DepthDataError, match='got none'):
        KittiCalibration.from_folder(tmp_path)
    path.write_bytes(b'\x00\xff' * 50)
    with pytest.raises(DamagedFileError, match='cam_to_cam.txt: expected UTF-8'):
        KittiCalibration.from_folder(tmp_path)


@pytest.mark.parametrize(
    ('numbers', 'message'),
    [
        ((0.58, 1.92, 0.5, 0.5), 'relative to the size'),
        ((700, -700, 620, 187), 'positive focal'),
        ((700, 700, 187, 620), 'width and height swapped'),
        ((10, 700, 620, 187), 'horizontal angle of view'),
    ],
)
def test_implausible_intrinsics(numbers, message):
    fx, fy, cx, cy = numbers
    with pytest.raises(DepthDataError, match=message):
        check_camera([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]], 'test', (1242, 375))


def test_monodepth2_matrix_is_accepted():
    check_camera(relative_cam2img(0.58, 1.92, 0.5, 0.5, (640, 192)), 'test', (640, 192))
