"""Motion from GPS and IMU, against the toy world and another library's rotations."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hybrid_depth.datasets.kitti.oxts import imu_motion
from hybrid_depth.datasets.kitti.raw import KittiRawDataset
from hybrid_depth.errors import DepthDataError
from hybrid_depth.toy_world import kitti_rig, open_toy_world

TRAIN = 'splits/toy/train_files.txt'


def write(path, latitude, longitude, altitude, *angles):
    numbers = [latitude, longitude, altitude, *angles, *[0.0] * 24]
    path.write_text(' '.join(map(str, numbers)))
    return path


def test_a_metre_north_and_east(tmp_path):
    """One degree of latitude is 2 pi / 360 of the earth's radius, at the equator of longitude too;
    the IMU looks north (yaw of 90 degrees from east)."""
    degree = np.degrees(1 / 6378137)  # of a metre
    ahead, aside = 3 * degree, 2 * degree / np.cos(np.radians(49))
    now = write(tmp_path / 'now.txt', 49.0, 8.0, 100.0, 0, 0, np.pi / 2)
    then = write(tmp_path / 'then.txt', 49.0 + ahead, 8.0 + aside, 101.0, 0, 0, np.pi / 2)
    motion = imu_motion(then, now)  # the origin then, in the frame of now: ahead, left, up
    np.testing.assert_allclose(motion[:3, 3], [3, -2, 1], atol=1e-5)
    np.testing.assert_allclose(motion[:3, :3], np.eye(3), atol=1e-12)


def test_angles_are_roll_pitch_and_yaw(tmp_path):
    now = write(tmp_path / 'now.txt', 49.0, 8.0, 100.0, 0, 0, 0)
    then = write(tmp_path / 'then.txt', 49.0, 8.0, 100.0, 0.1, -0.2, 0.7)
    expected = Rotation.from_euler('ZYX', [0.7, -0.2, 0.1]).as_matrix()
    np.testing.assert_allclose(imu_motion(then, now)[:3, :3], expected, atol=1e-12)


@pytest.mark.parametrize('baseline', [None, 0.1])
@pytest.mark.parametrize('side', [0, 1])
def test_camera_motion_of_the_toy_world(toy_kitti, baseline, side):
    """Both cameras; with a unit, that of the stereo pair."""
    dataset = KittiRawDataset(
        data_root=str(toy_kitti),
        split=TRAIN,
        frame_ids=(0, -1, 1, 's'),
        ego_motion=True,
        stereo_baseline=baseline,
    )
    sample = dataset.get_data_info(3 * side)
    assert sample['meta']['side'] == 'lr'[side]
    scene, frame = open_toy_world(toy_kitti)[1].scene(0), sample['meta']['frame']
    poses = [
        scene.ego2world(number * kitti_rig.FRAME_SECONDS) @ kitti_rig.cam2ego(2 + side)
        for number in (frame - 1, frame, frame + 1)
    ]
    for place, i in ((0, -1), (2, 1)):
        expected = np.linalg.inv(poses[place]) @ poses[1]
        expected[:3, 3] *= 1 if baseline is None else 0.1 / 0.54
        np.testing.assert_allclose(sample['transforms'][i], expected, atol=1e-5)
    assert abs(sample['transforms']['s'][0, 3]) == pytest.approx(baseline or 0.54)


def test_substituted_neighbours_do_not_move(toy_kitti):
    def read(**kwargs):
        split = str(toy_kitti / 'first.txt')
        return KittiRawDataset(
            data_root=str(toy_kitti), split=split, missing_neighbours='repeat', **kwargs
        )[0]

    (toy_kitti / 'first.txt').write_text('2018_07_24/2018_07_24_drive_0001_sync 0 l\n')
    transforms = read(ego_motion=True)['transforms']
    (toy_kitti / 'first.txt').unlink()
    np.testing.assert_array_equal(transforms[-1], np.eye(4))
    assert np.linalg.norm(transforms[1][:3, 3]) > 0.5


def test_bad_files_are_named(tmp_path):
    good = write(tmp_path / 'good.txt', 49.0, 8.0, 100.0, 0, 0, 0)
    bad = tmp_path / 'bad.txt'
    with pytest.raises(FileNotFoundError, match='GPS and IMU in .*bad.txt.*ego_motion=False'):
        imu_motion(good, bad)
    for text, message in (('1 2 3', 'got 3'), ('a b', 'could not convert'), ('nan ' * 30, 'nan')):
        bad.write_text(text)
        with pytest.raises(DepthDataError, match=f'bad.txt: expected 30 .*{message}'):
            imu_motion(bad, good)
