import pickle

import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image

from hybrid_depth.datasets.kitti.raw import KittiOdometryDataset, KittiRawDataset
from hybrid_depth.errors import DepthDataError
from tests.datasets import kitti_files


@pytest.fixture
def root(tmp_path):
    return kitti_files.write_raw_tree(tmp_path / 'kitti')


def build(root, numbers=range(4), side='l', **kwargs):
    split = kitti_files.write_list(root / 'list.txt', numbers, side)
    return KittiRawDataset(data_root=str(root), split=split, **kwargs)


def test_triplets_and_calibration(root):
    dataset = build(root, [1, 2], frame_ids=(0, -1, 1, 's'))
    sample = dataset[0]
    files = {i: path.split('kitti/')[1] for i, path in sample['img_paths'].items()}
    folder = kitti_files.DRIVE
    assert files == {
        0: f'{folder}/image_02/data/0000000001.png',
        -1: f'{folder}/image_02/data/0000000000.png',
        1: f'{folder}/image_02/data/0000000002.png',
        's': f'{folder}/image_03/data/0000000001.png',
    }
    assert sample['cam2img'][0, 2] == kitti_files.CENTRE[0]
    assert sample['transforms']['s'][0, 3] == pytest.approx(-kitti_files.BASELINE)
    assert sample['meta'] == dict(
        dataset='kitti_raw',
        name='2011_09_26_drive_0077_sync_0000000001_l',
        folder=folder,
        frame=1,
        side='l',
    )


def test_other_camera_of_the_right_one_is_left(root):
    (sample,) = build(root, [1], 'r', frame_ids=(0, 's'))
    assert sample['transforms']['s'][0, 3] == pytest.approx(0.5)
    fixed = build(root, [1], 'r', frame_ids=(0, 's'), stereo_baseline=0.1)
    assert fixed[0]['transforms']['s'][0, 3] == 0.1


def test_release_intrinsics(root):
    sample = build(root, [1], intrinsics='monodepth2')[0]
    assert sample['relative_intrinsics'] == (0.58, 1.92, 0.5, 0.5)
    assert 'cam2img' not in sample
    with pytest.raises(DepthDataError, match='calibrated'):
        build(root, [1], intrinsics='kitti')


def test_missing_neighbours_are_dropped_repeated_or_black(root):
    assert [s['meta']['frame'] for s in map(build(root).get_data_info, range(2))] == [1, 2]
    assert len(build(root)) == 2
    for rule in ('repeat', 'black'):
        dataset = build(root, missing_neighbours=rule)
        assert len(dataset) == 4
        assert dataset[0]['img_paths'][-1] is None
        assert dataset[0]['missing_neighbours'] == rule
    with pytest.raises(DepthDataError, match='2 of 4 frames lack a neighbour'):
        build(root, missing_neighbours='error')
    assert len(build(root, frame_ids=(0,))) == 4


def test_stereo_frames_are_never_substituted(tmp_path):
    root = kitti_files.write_raw_tree(tmp_path, sides='l')
    with pytest.raises(DepthDataError, match='got none among 4'):
        build(root, frame_ids=(0, 's'), missing_neighbours='repeat')


def test_jpeg_and_png(tmp_path):
    root = kitti_files.write_raw_tree(tmp_path, suffix='.jpg', sides='l')
    assert build(root)[0]['img_paths'][0].endswith('.jpg')
    with pytest.raises(FileNotFoundError, match='4 are not on disk'):
        build(root, image_format='png')


def test_missing_root_drive_and_frames(root, tmp_path):
    with pytest.raises(FileNotFoundError, match='expected KITTI at .*nowhere.*Download'):
        KittiRawDataset(data_root=str(tmp_path / 'nowhere'), split='eigen')
    with pytest.raises(FileNotFoundError, match='expected 697 frames, got 0.*prepare-kitti'):
        KittiRawDataset(data_root=str(root), split='eigen')
    with pytest.raises(FileNotFoundError, match='expected 2 frames, got 1'):
        build(root, [1, 9])


def test_frame_zero_is_needed(root):
    with pytest.raises(DepthDataError, match='expected frame ids'):
        build(root, frame_ids=(-1, 1))


def test_data_set_works_in_workers(root):
    dataset = build(root)
    assert len(pickle.loads(pickle.dumps(dataset))) == len(dataset)
    assert DATASETS.get('KittiRawDataset') is KittiRawDataset


@pytest.fixture
def odometry(tmp_path):
    folder = tmp_path / 'sequences' / '06'
    (folder / 'image_0').mkdir(parents=True)
    for number in range(3):
        Image.new('L', (60, 20), 9).save(folder / 'image_0' / f'{number:06d}.png')
    matrices = [[700, 0, 600, -380.0 * i, 0, 700, 180, 0, 0, 0, 1, 0] for i in range(2)]
    np.savetxt(folder / 'calib.txt', matrices)
    (tmp_path / 'list.txt').write_text('06 1 l\n')
    return tmp_path


def test_odometry(odometry):
    kwargs = dict(data_root=str(odometry), split=str(odometry / 'list.txt'))
    dataset = KittiOdometryDataset(cameras=(0, 1), **kwargs)
    assert dataset[0]['img_paths'][-1].endswith('sequences/06/image_0/000000.png')
    assert dataset[0]['cam2img'][1, 2] == 180
    assert dataset[0]['meta']['dataset'] == 'kitti_odometry'
    with pytest.raises(FileNotFoundError, match='1 are not on disk'):
        KittiOdometryDataset(**kwargs)  # colour images do not exist


def test_real_sequence(real_data, tmp_path):
    (tmp_path / 'list.txt').write_text(''.join(f'06 {number} l\n' for number in range(51)))
    dataset = KittiOdometryDataset(
        data_root=str(real_data / 'kitti_odometry'),
        split=str(tmp_path / 'list.txt'),
        cameras=(0, 1),
    )
    assert len(dataset) == 49
    assert dataset[0]['cam2img'][0, 0] == pytest.approx(707.09, abs=0.01)


@pytest.mark.parametrize('absolute', [False, True])
def test_moving_masks_mirror_the_images(root, absolute):
    folder = root / 'labels/moving'
    for number in (1, 2):
        path = folder / kitti_files.DRIVE / f'image_02/data/{number:010d}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    moving = str(folder) if absolute else 'labels/moving'
    dataset = build(root, [1, 2], moving=moving)
    assert dataset[1]['meta']['moving_path'] == str(path)
    assert 'moving_path' not in build(root, [1, 2])[0]['meta']
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r'for 2 frames, got none for 1, first .*02.png'):
        build(root, [1, 2], moving=moving)
