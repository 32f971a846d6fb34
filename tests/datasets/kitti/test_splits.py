import pytest

from hybrid_depth.datasets.kitti.splits import (
    EIGEN_TEST_DRIVES,
    KittiFrame,
    eigen_test_frames,
    read_split,
    write_split,
)
from hybrid_depth.datasets.kitti.splits.eigen_depth import TEST_DRIVES, TRAIN_DRIVES
from hybrid_depth.datasets.kitti.splits.make_split import make_split
from hybrid_depth.datasets.kitti.tree import KittiRawTree
from hybrid_depth.errors import DepthDataError
from tests.datasets import kitti_files


def test_eigen_test_frames():
    """697 frames of 28 drives, 25 each, except one of 22 (docs/reference/kitti.md, "Lists")."""
    frames = eigen_test_frames()
    assert len(frames) == len(set(frames)) == 697
    counts = [len(numbers) for numbers in EIGEN_TEST_DRIVES.values()]
    assert sorted(counts) == [22] + [25] * 27
    drive = '2011_09_26/2011_09_26_drive_0002_sync'
    assert EIGEN_TEST_DRIVES[drive][-4:] == [63, 69, 72, 75]
    assert read_split('eigen')[0] == KittiFrame(drive, 0, 'l')


def test_eigen_lists_of_annotated_depth():
    """The published counts: 42,382 frames of 61 drives, 23,488 of them for training, 23,158 and 652
    with annotated depth."""
    assert len(TRAIN_DRIVES) == 33 and TEST_DRIVES.keys() == EIGEN_TEST_DRIVES.keys()
    assert sum(TRAIN_DRIVES.values()) == 23488
    assert sum(TEST_DRIVES.values()) + 23488 == 42382
    train, test = read_split('eigen_train'), read_split('eigen_benchmark')
    assert len(train) == len(set(train)) == 23158 and {frame.side for frame in train} == {'l'}
    assert len(test) == 652 and set(test) <= set(read_split('eigen'))
    assert not {frame.folder for frame in train} & {frame.folder for frame in test}
    # lines of the published list: the first and one of the last frames of a drive with depth
    assert KittiFrame('2011_09_26/2011_09_26_drive_0005_sync', 5) in train
    assert KittiFrame('2011_09_26/2011_09_26_drive_0070_sync', 394) in train
    assert KittiFrame('2011_09_26/2011_09_26_drive_0070_sync', 415) not in train


def test_lists_are_written_and_read(tmp_path):
    frames = [KittiFrame(kitti_files.DRIVE, 3, 'r'), KittiFrame('06', 1)]
    write_split(frames, tmp_path / 'splits' / 'local.txt')
    assert read_split('splits/local.txt', tmp_path) == frames
    assert frames[0].name == '2011_09_26_drive_0077_sync_0000000003_r'


def test_lists_without_side_are_of_the_left_camera(tmp_path):
    (tmp_path / 'a.txt').write_text('# comment\n\n09 000012\n')
    assert read_split(tmp_path / 'a.txt') == [KittiFrame('09', 12, 'l')]


@pytest.mark.parametrize('line', ['image_02/data/0000000001.png', 'drive x l', 'drive 1 m'])
def test_wrong_lines_are_named(tmp_path, line):
    (tmp_path / 'a.txt').write_text(f'09 1 l\n{line}\n')
    with pytest.raises(DepthDataError, match='a.txt, line 2: expected'):
        read_split(tmp_path / 'a.txt')


def test_split_all_is_every_image_on_disk(tmp_path):
    kitti_files.write_raw_tree(tmp_path, [9, 10], sides='lr')
    found = read_split('all', tmp_path)
    assert found == [KittiFrame(kitti_files.DRIVE, n, side) for side in 'lr' for n in (9, 10)]
    with pytest.raises(DepthDataError, match='got none'):
        read_split('all', tmp_path / kitti_files.DRIVE)


def test_missing_and_empty_lists(tmp_path):
    with pytest.raises(FileNotFoundError, match='eigen_zhou.*make-split.*export-gt'):
        read_split('eigen_zhou', tmp_path)
    (tmp_path / 'a.txt').write_text('\n')
    with pytest.raises(DepthDataError, match='empty'):
        read_split('a.txt', tmp_path)


def test_split_from_the_drives_on_disk(tmp_path):
    kitti_files.write_raw_tree(tmp_path, [0, 1, 2, 3, 5, 6, 7], sides='l')
    test_drive = next(iter(EIGEN_TEST_DRIVES))
    kitti_files.write_raw_tree(tmp_path, range(4), sides='l', drive=test_drive)
    made = make_split(KittiRawTree(tmp_path), sides='l', val_share=1 / 3)
    assert {frame.number for frame in made.train + made.val} == {1, 2, 6}
    assert {frame.folder for frame in made.train + made.val} == {kitti_files.DRIVE}
    assert (len(made.train), len(made.val)) == (2, 1)
    assert made.left_out['without both neighbours'] == 4


def test_split_of_a_list_without_static_frames(tmp_path):
    kitti_files.write_raw_tree(tmp_path, range(6), sides='l')
    folder = tmp_path / kitti_files.DRIVE / 'image_02' / 'data'
    kitti_files.image(2).save(folder / f'{3:010d}.png')  # no motion from 2 to 3
    wanted = [KittiFrame(kitti_files.DRIVE, number) for number in (1, 2, 4, 99)]
    made = make_split(KittiRawTree(tmp_path), wanted, min_motion=1, val_share=0)
    assert [frame.number for frame in made.train] == [1, 4]
    assert made.left_out == {
        'not on disk': 1, 'without both neighbours': 0, 'standing still': 1
    }  # fmt: skip
    with pytest.raises(DepthDataError, match='got none'):
        make_split(KittiRawTree(tmp_path), wanted[-1:])


@pytest.mark.parametrize('folder', ['..', '../..', '/tmp/evil', 'a/..', '.', '', 'x\0', '.hidden'])
def test_names_of_frames_are_no_paths(tmp_path, folder):
    name = KittiFrame(folder, 3, 'l').name
    (tmp_path / f'{name}.npz').touch()
    assert len(list(tmp_path.iterdir())) == 1 and not name.startswith('.')
