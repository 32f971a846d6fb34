"""Damaged and odd calibration of KITTI folders."""

import pytest
from PIL import Image

from hybrid_depth.datasets.kitti.calibration import KittiCalibration
from hybrid_depth.datasets.kitti.raw import KittiOdometryDataset, KittiRawDataset
from hybrid_depth.depth.transforms.load import LoadFrames
from tests.borders.refusal import refused
from tests.datasets import kitti_files


def written(tmp_path, name, **entries):
    """A KITTI root in which numbers of a calibration file are replaced."""
    root = kitti_files.write_raw_tree(tmp_path / 'kitti')
    path = root / kitti_files.DAY / name
    lines = path.read_text().splitlines()
    kept = [line for line in lines if line.split(':')[0] not in entries]
    path.write_text('\n'.join(kept + [f'{key}: {value}' for key, value in entries.items()]))
    return root


P = '72 0 61 0 0 72 17 0 0 0 1 0'
CAMERAS, VELODYNE = 'calib_cam_to_cam.txt', 'calib_velo_to_cam.txt'
KITTI = {
    'NaN': (CAMERAS, 'P_rect_02', P.replace('72', 'nan', 1)),
    'all NaN': (CAMERAS, 'P_rect_02', ' '.join(['nan'] * 12)),
    'infinite': (CAMERAS, 'P_rect_03', P.replace('61', 'inf')),
    'NaN offset': (CAMERAS, 'P_rect_03', '72 0 61 nan 0 72 17 0 0 0 1 0'),
    'far camera': (CAMERAS, 'P_rect_03', '72 0 61 -1e9 0 72 17 0 0 0 1 0'),
    'zero': (CAMERAS, 'P_rect_02', ' '.join(['0'] * 12)),
    'negative': (CAMERAS, 'P_rect_02', P.replace('72', '-72')),
    'superscript': (CAMERAS, 'P_rect_02', P.replace('61', '³')),
    'digits of another script': (CAMERAS, 'P_rect_02', P.replace('61', '٦١')),
    'full-width digits': (VELODYNE, 'T', '0 ０ 0'),
    'underscores': (CAMERAS, 'P_rect_02', P.replace('61', '6_1')),
    'text in an unused entry': (CAMERAS, 'D_03', '0 ³ 0'),
    'of another size': (CAMERAS, 'P_rect_02', '36 0 30 0 0 36 8 0 0 0 1 0'),
    'relative': (CAMERAS, 'P_rect_02', '0.58 0 0.5 0 0 1.92 0.5 0 0 0 1 0'),
    'transposed': (CAMERAS, 'P_rect_02', '72 0 0 0 72 0 61 17 1 0 0 0'),
    'sized zero': (CAMERAS, 'S_rect_02', '0 0'),
    'sized NaN': (CAMERAS, 'S_rect_02', 'nan nan'),
    'sized negative': (CAMERAS, 'S_rect_02', '-124 38'),
    'of an image of another size': (CAMERAS, 'S_rect_02', '1242 375'),
    'zero rectification': (CAMERAS, 'R_rect_00', ' '.join(['0'] * 9)),
    'NaN rectification': (CAMERAS, 'R_rect_00', ' '.join(['nan'] * 9)),
    'scaled rectification': (CAMERAS, 'R_rect_00', '2 0 0 0 2 0 0 0 2'),
    'NaN LiDAR': (VELODYNE, 'R', '0 -1 0 0 0 -1 nan 0 0'),
    'zero LiDAR': (VELODYNE, 'R', ' '.join(['0'] * 9)),
    'scaled LiDAR': (VELODYNE, 'R', '0 -2 0 0 0 -2 2 0 0'),
    'mirrored LiDAR': (VELODYNE, 'R', '0 1 0 0 0 -1 1 0 0'),
    'NaN mounting': (VELODYNE, 'T', '0 nan 0'),
    'mounting in space': (VELODYNE, 'T', '0 1e20 0'),
}


@pytest.mark.parametrize('case', KITTI)
def test_kitti_calibration(tmp_path, case):
    name, entry, numbers = KITTI[case]
    root = written(tmp_path, name, **{entry: numbers})
    with refused(name, entry if entry[0] in 'PS' and case != 'of an image of another size' else ''):
        KittiCalibration.from_folder(root / kitti_files.DAY)
    split = kitti_files.write_list(tmp_path / 'list.txt', [1, 2])
    with refused(name):
        KittiRawDataset(data_root=str(root), split=split, intrinsics='calibrated')


@pytest.mark.parametrize('size', [(62, 19), (248, 76), (38, 124), (124, 37)])
def test_kitti_images_of_another_size(tmp_path, size):
    root = kitti_files.write_raw_tree(tmp_path / 'kitti')
    for path in root.rglob('*.png'):
        Image.new('RGB', size).save(path)
    split = kitti_files.write_list(tmp_path / 'list.txt', [1, 2])
    dataset = KittiRawDataset(data_root=str(root), split=split, pipeline=[LoadFrames()])
    with refused('0000000001.png', f'got {size[0]}x{size[1]}'):
        dataset[0]


@pytest.mark.parametrize(
    'line',
    ['P2: ' + P.replace('72', 'nan'), 'P2: ' + ' '.join(['0'] * 12), 'P2: ' + 'x ' * 12,
        'P2: ' + P.replace('61', '6_1'), 'P2: ' + P.replace('61', '６1'), 'P³: ' + P],
)  # fmt: skip
def test_kitti_odometry(tmp_path, line):
    folder = tmp_path / 'sequences/06'
    (folder / 'image_2').mkdir(parents=True)
    for number in range(3):
        kitti_files.image(number).save(folder / 'image_2' / f'{number:06d}.png')
    (folder / 'calib.txt').write_text(line + '\n')
    (tmp_path / 'list.txt').write_text('6 1 l\n')
    with refused('calib.txt'):
        KittiOdometryDataset(data_root=str(tmp_path), split=str(tmp_path / 'list.txt'))
