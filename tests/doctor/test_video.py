import numpy as np
import pytest
from PIL import Image

from hybrid_depth.datasets.kitti.splits import KittiFrame
from hybrid_depth.datasets.kitti.tree import KittiRawTree
from hybrid_depth.datasets.video.frame_motion import frame_motion
from hybrid_depth.doctor.video import check_root, check_split, clip_text, split_text
from tests.datasets import kitti_files


def test_report_of_a_drive_with_a_gap(tmp_path):
    kitti_files.write_raw_tree(tmp_path, [0, 1, 2, 5], sides='l')
    (report,) = check_root(tmp_path)
    assert (report.images, report.gaps, report.sweeps) == (4, [3, 4], 2)
    assert report.problems == []
    text = clip_text(report)
    for message in ('2 frames are missing', 'K fx 72.00', '124x38', 'angle of view', 'motion'):
        assert message in text


def test_frames_before_the_first_are_no_gap(tmp_path):
    kitti_files.write_raw_tree(tmp_path, [3, 4, 6], sides='l')
    (report,) = check_root(tmp_path)
    assert report.gaps == [5]


def test_motion_is_measured_in_pixels_at_640(tmp_path):
    ramp = np.random.default_rng(0).integers(0, 255, (24, 80, 3), dtype=np.uint8)
    wide = Image.fromarray(ramp).resize((800, 192), Image.Resampling.BICUBIC)
    paths = [tmp_path / f'{left}.png' for left in (0, 6)]
    for left, path in zip((0, 6), paths, strict=True):
        wide.crop((left, 0, left + 640, 192)).save(path)
    assert frame_motion(*paths) == pytest.approx(6, rel=0.15)
    assert frame_motion(paths[0], paths[0]) == pytest.approx(0, abs=0.01)


def test_problems_are_reported(tmp_path):
    kitti_files.write_raw_tree(tmp_path, range(3), sides='l')
    folder = tmp_path / kitti_files.DRIVE / 'image_02' / 'data'
    for number in range(3):
        kitti_files.image(0).save(folder / f'{number:010d}.png')
    (report,) = check_root(tmp_path)
    assert any('almost static' in problem for problem in report.problems)
    last = folder / '0000000002.png'
    last.write_bytes(last.read_bytes()[:700])
    (report,) = check_root(tmp_path, read_all=True)
    assert any('damaged' in p and '0000000002.png' in p for p in report.problems)
    (tmp_path / kitti_files.DAY / 'calib_cam_to_cam.txt').unlink()
    (report,) = check_root(tmp_path)
    assert 'PROBLEM: expected the calibration file' in clip_text(report)


def test_video_frames_are_checked_too(tmp_path):
    for number in range(3):
        kitti_files.image(number).save(tmp_path / f'{number}.png')
    (report,) = check_root(tmp_path)
    assert 'write fx fy cx cy' in report.problems[0]
    (tmp_path / 'intrinsics.txt').write_text('72 72 61 17')
    (report,) = check_root(tmp_path)
    assert report.problems == []
    with pytest.raises(FileNotFoundError, match='expected KITTI at'):
        check_root(tmp_path / 'nowhere')


def test_split_is_compared_with_the_disk(tmp_path):
    kitti_files.write_raw_tree(tmp_path, range(4), sides='l', sweeps=(1,))
    other = kitti_files.DRIVE.replace('0077', '0078')
    frames = [KittiFrame(kitti_files.DRIVE, number) for number in (1, 2, 3, 8)]
    report = check_split([*frames, KittiFrame(other, 0)], KittiRawTree(tmp_path))
    assert report.missing == {kitti_files.DRIVE: [8], other: [0]}
    assert report.absent_drives == [other]
    kitti_files.write_raw_tree(tmp_path, [0], sides='r', drive=other)
    assert check_split([KittiFrame(other, 0)], KittiRawTree(tmp_path)).absent_drives == []
    assert (report.without_neighbours, report.without_sweep, report.complete) == (1, 2, False)
    text = split_text(report, 'local')
    assert '3 of 5 frames on disk (PARTIAL)' in text
    assert f'drive not on disk: {other}' in text


def test_real_drive_and_sequence(real_data):
    (drive,) = check_root(real_data / 'kitti_raw')
    assert (drive.images, drive.sweeps, drive.size) == (48, 16, (1242, 375))
    assert drive.problems == []
    (sequence,) = check_root(real_data / 'kitti_odometry')
    assert sequence.name == 'sequence 06 camera 0'
    assert sequence.motion > 3
