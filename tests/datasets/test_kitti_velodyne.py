import numpy as np
import pytest

from hybrid_depth.datasets import DepthDataError
from hybrid_depth.datasets.kitti_calibration import KittiCalibration
from hybrid_depth.datasets.kitti_velodyne import read_velodyne, velodyne_depth_map
from tests.datasets import kitti_files
from tests.golden.monodepth2 import Golden

WIDTH, HEIGHT = kitti_files.SIZE
DRIVE = '2011_09_26/2011_09_26_drive_9001_sync'


@pytest.fixture
def calibration(tmp_path):
    kitti_files.write_calibration(tmp_path)
    return KittiCalibration.from_folder(tmp_path)


def at_pixel(row: int, column: int, depth: float) -> list[float]:
    """A point that falls into a pixel: its coordinates are one more."""
    x = (column + 1 - kitti_files.CENTRE[0]) / kitti_files.FOCAL
    y = (row + 1 - kitti_files.CENTRE[1]) / kitti_files.FOCAL
    return [depth, -x * depth, -y * depth, 0.0]


def test_nearest_point_of_a_pixel_counts(calibration):
    points = np.array([at_pixel(3, 5, 20), at_pixel(3, 5, 8), at_pixel(3, 5, 30)])
    depth = velodyne_depth_map(points, calibration)
    assert np.count_nonzero(depth) == 1
    assert depth[3, 5] == pytest.approx(8)


def test_last_column_and_next_row_pass_as_one_pixel(calibration):
    """The release's key of a pixel is row (W - 1) + column - 1; its numbers depend on that."""
    last, first = at_pixel(3, WIDTH - 1, 20), at_pixel(4, 0, 8)
    depth = velodyne_depth_map(np.array([last, first]), calibration)
    assert depth[3, WIDTH - 1] == pytest.approx(8)
    assert depth[4, 0] == pytest.approx(8)
    depth = velodyne_depth_map(np.array([first, last]), calibration)
    assert depth[3, WIDTH - 1] == pytest.approx(20)


def test_points_behind_and_outside_are_dropped(calibration):
    points = np.array(
        [[-5.0, 0, 0, 0], at_pixel(2, WIDTH, 9), at_pixel(-1, 2, 9), at_pixel(1, 1, 9)]
    )
    depth = velodyne_depth_map(points, calibration)
    assert depth.shape == (HEIGHT, WIDTH)
    assert np.count_nonzero(depth) == 1


def test_damaged_sweeps(tmp_path):
    with pytest.raises(FileNotFoundError, match='000.bin'):
        read_velodyne(tmp_path / '000.bin')
    (tmp_path / '000.bin').write_bytes(b'1234567')
    with pytest.raises(DepthDataError, match='multiple of 16 bytes'):
        read_velodyne(tmp_path / '000.bin')


@pytest.mark.parametrize('frame', [0, 9])
@pytest.mark.parametrize('value', ['z', 'forward'])
def test_golden_maps_of_real_sweeps(real_data, frame, value):
    """Counts, places and values of the official code, bit for bit."""
    golden = Golden('kitti').arrays
    root = real_data / 'kitti_raw'
    points = read_velodyne(root / DRIVE / f'velodyne_points/data/{frame:010d}.bin')
    assert len(points) == golden[f'points.{frame}.count']
    calibration = KittiCalibration.from_folder(root / '2011_09_26')
    depth = velodyne_depth_map(points, calibration, 2, value)

    def stored(name: str) -> np.ndarray:
        return golden[f'depth.{frame}.{value}.{name}']

    rows, columns = np.nonzero(depth)
    assert list(depth.shape) == stored('shape').tolist()
    assert (len(rows), rows.sum(), columns.sum()) == (
        stored('count'),
        stored('sum_rows'),
        stored('sum_cols'),
    )
    assert depth.sum() == pytest.approx(float(stored('sum')), rel=1e-12)
    np.testing.assert_array_equal(depth[stored('rows'), stored('cols')], stored('values'))
    np.testing.assert_array_equal(depth[:, 0], stored('first_column'))
    np.testing.assert_array_equal(depth[:, -1], stored('last_column'))
