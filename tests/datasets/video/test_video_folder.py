import numpy as np
import pytest

from hybrid_depth.datasets.video.intrinsics import read_intrinsics
from hybrid_depth.datasets.video.video_folder import VideoFolderDataset
from hybrid_depth.errors import DepthDataError
from tests.datasets.kitti_files import image

CAMERA = '72 72 61 17'


@pytest.fixture
def root(tmp_path):
    for clip, count in (('a', 12), ('b', 3)):
        (tmp_path / clip).mkdir()
        for number in range(count):
            image(number).save(tmp_path / clip / f'frame{number}.jpg')
    (tmp_path / 'intrinsics.txt').write_text(CAMERA)
    return tmp_path


def names(dataset, index):
    return {i: path.rsplit('/', 2)[1:] for i, path in dataset[index]['img_paths'].items()}


def test_every_folder_is_a_clip_in_natural_order(root):
    dataset = VideoFolderDataset(data_root=str(root))
    assert len(dataset) == 10 + 1
    # frame 9 before frame 10, and no neighbour from another clip
    assert names(dataset, 8) == {
        0: ['a', 'frame9.jpg'],
        -1: ['a', 'frame8.jpg'],
        1: ['a', 'frame10.jpg'],
    }
    assert names(dataset, 10)[0] == ['b', 'frame1.jpg']
    assert dataset[10]['meta']['name'] == 'b_frame1'


def test_frame_step(root):
    dataset = VideoFolderDataset(data_root=str(root), frame_step=3)
    assert len(dataset) == 6
    assert names(dataset, 0) == {
        0: ['a', 'frame3.jpg'],
        -1: ['a', 'frame0.jpg'],
        1: ['a', 'frame6.jpg'],
    }
    with pytest.raises(DepthDataError, match='at least 1'):
        VideoFolderDataset(data_root=str(root), frame_step=0)


def test_intrinsics_of_clip_root_and_config(root):
    (root / 'b' / 'intrinsics.txt').write_text('70 0 60\n0 71 18\n0 0 1\n')
    dataset = VideoFolderDataset(data_root=str(root))
    np.testing.assert_array_equal(dataset[0]['cam2img'], [[72, 0, 61], [0, 72, 17], [0, 0, 1]])
    assert dataset[10]['cam2img'][1, 1] == 71
    dataset = VideoFolderDataset(data_root=str(root), intrinsics=(80, 80, 60, 18))
    assert dataset[10]['cam2img'][0, 0] == 80


def test_bad_intrinsics_are_rejected(root):
    with pytest.raises(DepthDataError, match='relative to the size'):
        VideoFolderDataset(data_root=str(root), intrinsics=(0.6, 1.1, 0.5, 0.5))
    (root / 'intrinsics.txt').write_text('72 72 61')
    with pytest.raises(DepthDataError, match='expected 9 numbers.*got 3'):
        read_intrinsics(root / 'intrinsics.txt')
    (root / 'intrinsics.txt').write_text('fx 72')
    with pytest.raises(DepthDataError, match='got text'):
        read_intrinsics(root / 'intrinsics.txt')
    (root / 'intrinsics.txt').unlink()
    with pytest.raises(FileNotFoundError, match='write fx fy cx cy'):
        VideoFolderDataset(data_root=str(root))


@pytest.mark.parametrize(
    ('numbers', 'pairs'), [((1, 2, 4), 1), ((1, 3, 4), 1), ((10, 20, 40, 50), 2), ((2, 4, 6), 2)]
)
def test_frames_on_both_sides_of_a_dropped_one_are_no_neighbours(tmp_path, numbers, pairs):
    """Half of the distances of a short clip may be gaps."""
    for number in numbers:
        image(number).save(tmp_path / f'{number}.png')
    dataset = VideoFolderDataset(str(tmp_path), (72, 72, 61, 17), frame_ids=(0, 1))
    assert len(dataset) == pairs


def test_missing_folder_and_images(tmp_path):
    with pytest.raises(FileNotFoundError, match='which does not exist'):
        VideoFolderDataset(data_root=str(tmp_path / 'x'))
    with pytest.raises(FileNotFoundError, match='expected frames'):
        VideoFolderDataset(data_root=str(tmp_path))


def test_no_stereo(root):
    with pytest.raises(DepthDataError, match='no other camera'):
        VideoFolderDataset(data_root=str(root), frame_ids=(0, 's'))
