import numpy as np
import pytest

from hybrid_depth.datasets.kitti.calibration import KittiCalibration
from hybrid_depth.datasets.kitti.velodyne import read_velodyne, velodyne_depth_map
from hybrid_depth.errors import DepthDataError
from tests.datasets import kitti_files
from tests.golden import monodepth2
from tests.golden.reader import Golden

WIDTH, HEIGHT = kitti_files.SIZE
KITTI = Golden('monodepth2_kitti')


@pytest.fixture
def calibration(tmp_path):
    kitti_files.write_calibration(tmp_path)
    return KittiCalibration.from_folder(tmp_path)


def at_pixel(row: int, column: int, depth: float) -> list[float]:
    """A point in a pixel: its coordinates are one more."""
    x = (column + 1 - kitti_files.CENTRE[0]) / kitti_files.FOCAL
    y = (row + 1 - kitti_files.CENTRE[1]) / kitti_files.FOCAL
    return [depth, -x * depth, -y * depth, 0.0]


def test_nearest_point_of_a_pixel_is_used(calibration):
    points = np.array([at_pixel(3, 5, 20), at_pixel(3, 5, 8), at_pixel(3, 5, 30)])
    depth = velodyne_depth_map(points, calibration)
    assert np.count_nonzero(depth) == 1
    assert depth[3, 5] == pytest.approx(8)


def test_last_column_and_next_row_are_one_pixel(calibration):
    """The release's key of a pixel is row (W - 1) + column - 1, on which its results depend."""
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


@pytest.mark.parametrize('frame', monodepth2.FRAMES)
@pytest.mark.parametrize('value', ['z', 'forward'])
def test_golden_maps_of_real_sweeps(real_data, frame, value):
    """Counts, positions and values equal the official code bit for bit."""
    folder, prefix = real_data / 'kitti_raw' / monodepth2.DRIVE, f'depth.{frame}.{value}'
    points = read_velodyne(folder / f'velodyne_points/data/{frame:010d}.bin')
    KITTI.check(f'points.{frame}.count', len(points), 0)
    calibration = KittiCalibration.from_folder(folder.parent)
    depth = velodyne_depth_map(points, calibration, 2, value)
    rows, columns = np.nonzero(depth)
    places = KITTI.array(f'{prefix}.rows'), KITTI.array(f'{prefix}.cols')
    for name, found in dict(
        shape=depth.shape,
        count=len(rows),
        sum_rows=rows.sum(),
        sum_cols=columns.sum(),
        values=depth[places],
        first_column=depth[:, 0],
        last_column=depth[:, -1],
    ).items():
        KITTI.check(f'{prefix}.{name}', found, 0)
    KITTI.check(f'{prefix}.sum', depth.sum(), 1e-12)
