"""The toy KITTI tree, read by the toolkit's KITTI readers."""

import numpy as np
import pytest
from PIL import Image

from hybrid_depth.datasets.kitti.calibration import KittiCalibration, read_calibration_file
from hybrid_depth.datasets.kitti.export import export_ground_truth, improved_truth, velodyne_truth
from hybrid_depth.datasets.kitti.raw import KittiRawDataset
from hybrid_depth.datasets.kitti.splits import KittiFrame, read_split
from hybrid_depth.datasets.kitti.tree import KittiRawTree
from hybrid_depth.datasets.kitti.velodyne import read_velodyne
from hybrid_depth.doctor.video import check_root, check_split

from .planar import depth_between_pixels

TRAIN, VAL = 'splits/toy/train_files.txt', 'splits/toy/val_files.txt'


@pytest.fixture(scope='module')
def tree(toy_kitti) -> KittiRawTree:
    return KittiRawTree(toy_kitti)


@pytest.fixture(scope='module')
def calibration(tree) -> KittiCalibration:
    return tree.calibration(tree.drives()[0])


def image(tree, drive, side, number) -> np.ndarray:
    return np.array(Image.open(tree.images(drive, side)[number]), float)


def dense(tree, drive, side, number) -> np.ndarray:
    return improved_truth(tree.root).read(KittiFrame(drive, number, side))


def test_tree_is_complete(toy_kitti, tree):
    reports = list(check_root(toy_kitti, read_all=True))
    assert len(reports) == 4
    for report in reports:
        assert (report.images, report.sweeps, report.problems) == (5, 5, [])
        assert report.gaps == [] and report.size == (160, 48)
    for split, drives in ((TRAIN, tree.drives()[:1]), (VAL, tree.drives()[1:])):
        frames = read_split(split, toy_kitti)
        report = check_split(frames, tree)
        assert report.complete and report.without_neighbours == report.without_sweep == 0
        assert sorted({frame.folder for frame in frames}) == drives
    for drive in tree.drives():
        stamps = (toy_kitti / drive / 'image_02' / 'timestamps.txt').read_text().splitlines()
        assert len(stamps) == 5
        seconds = [float(stamp.split(':')[-1]) for stamp in stamps]
        np.testing.assert_allclose(np.diff(seconds), 0.1)


def test_dataset_reads_triplets_and_stereo(toy_kitti):
    dataset = KittiRawDataset(data_root=str(toy_kitti), split=TRAIN, frame_ids=(0, -1, 1, 's'))
    assert len(dataset) == 2 * 3  # left and right; the first and last frame lack a neighbour
    offsets = {item['meta']['side']: -item['transforms']['s'][0, 3] for item in dataset}
    assert offsets == pytest.approx(dict(l=0.54, r=-0.54))
    assert len(KittiRawDataset(data_root=str(toy_kitti), split=VAL)) == 3


def test_camera_height_as_in_kitti(calibration):
    """Height from the calibration files: the Velodyne is 1.73 m above the ground."""
    velo_to_cam = np.eye(4)
    velo_to_cam[:3, :3] = calibration.rectification
    velo_to_cam = velo_to_cam @ calibration.velo_to_cam
    up = np.array([0.0, -1, 0])
    assert 1.73 - velo_to_cam[:3, 3] @ up == pytest.approx(1.65, abs=0.01)
    assert calibration.cam2img(2)[0, 0] / 160 == pytest.approx(0.58, abs=0.005)
    assert calibration.cam2img(2)[1, 1] / 48 == pytest.approx(1.92, abs=0.01)


@pytest.mark.parametrize('side', 'lr')
def test_dense_depth_and_velodyne_agree_within_a_centimetre(tree, calibration, side):
    drive = tree.drives()[0]
    points = read_velodyne(tree.sweeps(drive)[2])
    homogeneous = np.column_stack([points[:, :3].astype(float), np.ones(len(points))])
    projected = homogeneous @ calibration.velo_to_image(dict(l=2, r=3)[side]).T
    projected = projected[projected[:, 2] > 0.3]
    # The map is rounded to 1/256 m, so planes are flat to about that share of the depth squared.
    depth = dense(tree, drive, side, 2)
    measured = depth_between_pixels(depth, projected[:, :2] / projected[:, 2:], 3e-4)
    away = measured - projected[:, 2]
    near = np.isfinite(away) & (projected[:, 2] < 25)
    assert near.sum() > 300
    assert (np.abs(away[near]) < 0.01).mean() > 0.9


def test_dense_depth_warps_the_right_image_to_the_left(tree, calibration):
    """Pixels of the right image, shifted by the disparity, are those of the left image."""
    drive = tree.drives()[1]
    left, right = (image(tree, drive, side, 2) for side in 'lr')
    depth = {side: dense(tree, drive, side, 2) for side in 'lr'}
    rows, columns = np.nonzero(depth['l'] > 0)
    values = depth['l'][rows, columns]
    shifted = columns - calibration.cam2img(2)[0, 0] * calibration.baseline(2, 3) / values
    inside = (shifted >= 0) & (shifted <= left.shape[1] - 2)
    rows, columns, shifted, values = (a[inside] for a in (rows, columns, shifted, values))
    assert (values < 80).all() or len(values) > 1000
    nearest = np.round(shifted).astype(int)
    visible = np.abs(depth['r'][rows, nearest] / values - 1) < 0.02
    assert visible.mean() > 0.85
    rows, columns, shifted = rows[visible], columns[visible], shifted[visible]
    low, share = shifted.astype(int), (shifted % 1)[:, None]
    warped = (1 - share) * right[rows, low] + share * right[rows, low + 1]
    error = np.abs(warped - left[rows, columns]).mean()
    assert error < 0.3 * np.abs(right[rows, columns] - left[rows, columns]).mean()


def read_oxts(path) -> np.ndarray:
    """Pose (4, 4) of the IMU as KITTI's devkit computes it, with the scale of latitude 49."""
    latitude, longitude, altitude, roll, pitch, yaw = map(float, path.read_text().split()[:6])
    assert roll == pitch == 0
    scale, radius = np.cos(np.radians(49)), 6378137
    pose = np.eye(4)
    pose[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
    pose[0, 3] = scale * radius * np.radians(longitude)
    pose[1, 3] = scale * radius * np.log(np.tan(np.radians(90 + latitude) / 2))
    pose[2, 3] = altitude
    return pose


def test_gps_and_calibration_transform_points_between_frames(toy_kitti, tree, calibration):
    """Points of frame 0, transformed by oxts and calibration files, match frame 3."""
    drive = tree.drives()[0]
    mount = read_calibration_file(toy_kitti / drive.split('/')[0] / 'calib_imu_to_velo.txt')
    imu_to_velo, rectify, shift = np.eye(4), np.eye(4), np.eye(4)
    imu_to_velo[:3] = np.column_stack([mount['R'].reshape(3, 3), mount['T']])
    rectify[:3, :3] = calibration.rectification
    projection, cam2img = calibration.projections[2], calibration.cam2img(2)
    shift[:3, 3] = np.linalg.solve(cam2img, projection[:, 3])
    imu_to_cam = shift @ rectify @ calibration.velo_to_cam @ imu_to_velo
    oxts = [toy_kitti / drive / 'oxts' / 'data' / f'{number:010d}.txt' for number in (0, 3)]
    first, second = (read_oxts(path) for path in oxts)
    motion = imu_to_cam @ np.linalg.inv(second) @ first @ np.linalg.inv(imu_to_cam)
    assert 0.3 * 7 < np.linalg.norm(motion[:3, 3]) < 0.3 * 12, 'the car drives 7 to 12 m/s'

    depth = dense(tree, drive, 'l', 0)
    rows, columns = np.nonzero(depth > 0)
    rays = np.linalg.solve(cam2img, np.stack([columns, rows, np.ones(len(rows))]))
    points = motion[:3, :3] @ (rays * depth[rows, columns]) + motion[:3, 3:]
    pixels = (cam2img @ points)[:2] / points[2]
    measured = depth_between_pixels(dense(tree, drive, 'l', 3), pixels.T, 3e-4)
    known = np.isfinite(measured) & (points[2] > 0)
    away = np.abs(measured[known] / points[2, known] - 1)
    assert known.sum() > 1000
    # Moving and newly visible objects do not match; street and parked vehicles do.
    assert np.median(away) < 1e-3 and (away < 0.01).mean() > 0.6


@pytest.mark.parametrize('source', ['improved', 'velodyne'])
def test_export_of_ground_truth(toy_kitti, tree, tmp_path, source):
    frames = read_split(VAL, toy_kitti)
    read = improved_truth(toy_kitti) if source == 'improved' else velodyne_truth(tree)
    report = export_ground_truth(frames, read, tmp_path / 'gt', source, VAL)
    assert (report.written, report.missing) == (3, [])
    depth = np.load(tmp_path / 'gt' / f'{frames[0].name}.npz')['depth']
    share = (depth > 0).mean()
    assert depth.shape == (48, 160)
    assert 0.5 < share < 1 if source == 'improved' else 0.05 < share < 0.6
