"""KITTI with annotated depth: files to samples, and the pipeline of supervised training."""

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, TRANSFORMS, init_default_scope
from PIL import Image

from hybrid_depth.config_files import find_config
from hybrid_depth.datasets.depth_map_files import read_depth_png, write_depth_png
from hybrid_depth.datasets.kitti.annotated import KittiDepthDataset
from hybrid_depth.depth.evaluation.predicted_maps import uncrop
from hybrid_depth.depth.evaluation.protocols import PROTOCOLS
from hybrid_depth.depth.evaluation.scoring import valid_pixels
from hybrid_depth.depth.transforms import (
    BottomCrop,
    FlipFrames,
    KeepTruth,
    LoadDepthMaps,
    LoadFrames,
    PackFrames,
    ResizeFrames,
)
from hybrid_depth.errors import DepthDataError
from tests.datasets import kitti_files

SIZE = kitti_files.SIZE  # width, height
RAMP = (1 + np.arange(SIZE[0] * SIZE[1]).reshape(SIZE[::-1]) / 64).astype(np.float32)


def depth_file(root, number, part='train', side='l'):
    drive = kitti_files.DRIVE.split('/')[1]
    camera = 2 if side == 'l' else 3
    folder = root / part / drive / 'proj_depth' / 'groundtruth' / f'image_{camera:02d}'
    return folder / f'{number:010d}.png'


@pytest.fixture
def root(tmp_path):
    """Four frames, of which 1 and 2 have annotated depth: a ramp, different for every pixel."""
    root = kitti_files.write_raw_tree(tmp_path / 'kitti')
    for number, part in ((1, 'train'), (2, 'val')):
        write_depth_png(RAMP, depth_file(tmp_path / 'depth', number, part))
    return root


def build(root, numbers=range(4), **kwargs):
    split = kitti_files.write_list(root / 'list.txt', numbers)
    depth = str(root.parent / 'depth')
    return KittiDepthDataset(data_root=str(root), split=split, depth_root=depth, **kwargs)


def test_frames_with_annotated_depth_are_kept(root):
    dataset = build(root)
    assert [dataset[i]['meta']['frame'] for i in range(len(dataset))] == [1, 2]
    assert dataset[1]['depth_paths'] == dict(
        gt_depth=str(depth_file(root.parent / 'depth', 2, 'val'))
    )
    with pytest.raises(DepthDataError, match='annotated depth of 2 frames.*got none.*depth_root'):
        build(root, [0, 3])


def test_flip_crop_and_resize_move_depth_and_camera_together(root):
    """A pixel of the item looks along the ray of the pixel of the file it came from."""
    width, height = 60, 24
    transforms = [LoadFrames(), LoadDepthMaps(), FlipFrames(1.0), BottomCrop((width, height))]
    sample = build(root, pipeline=[*transforms, PackFrames()])[0]
    depth, cam2img = sample['inputs']['gt_depth'], sample['inputs']['cam2img']
    assert depth.shape == (1, height, width) and depth.dtype.is_floating_point
    row, column = 5, 7
    left, top = (SIZE[0] - width) // 2, SIZE[1] - height
    source = (top + row, SIZE[0] - 1 - (left + column))
    assert depth[0, row, column] == RAMP[source]
    ray = (column - cam2img[0, 2]) / cam2img[0, 0]
    focal, (cx, cy) = kitti_files.FOCAL, kitti_files.CENTRE
    assert ray == pytest.approx(-(source[1] - cx) / focal)
    assert (row - cam2img[1, 2]) / cam2img[1, 1] == pytest.approx((source[0] - cy) / focal)
    assert sample['data_samples'].crop == (left, top, left + width, SIZE[1])
    image = sample['inputs']['images'][0] / 255
    plain = np.asarray(kitti_files.image(1)) / 255
    np.testing.assert_allclose(image[:, row, column], plain[source], atol=1e-6)


def test_resized_depth_is_that_of_a_pixel_of_the_file(root):
    transforms = [LoadFrames(), LoadDepthMaps(), ResizeFrames((62, 19)), PackFrames()]
    depth = build(root, pipeline=transforms)[0]['inputs']['gt_depth'][0].numpy()
    assert depth.shape == (19, 62) and np.isin(depth, RAMP).all()
    assert abs(depth[9, 30] - RAMP[18:20, 60:62].mean()) < 2  # two rows are 3.9 m


def test_truth_is_kept_at_its_size(root):
    transforms = [LoadFrames(), LoadDepthMaps(), KeepTruth(), BottomCrop((60, 24)), PackFrames()]
    sample = build(root, pipeline=transforms)[0]
    assert np.array_equal(sample['data_samples'].truth, RAMP)
    assert 'gt_depth' not in sample['inputs']


def test_maps_of_other_folders_mirror_the_images(root, tmp_path):
    """Folders of make-embodied-depth: the map of a/b/c.jpg is a/b/c.png."""
    mirrored = f'{kitti_files.DRIVE}/image_02/data/0000000001.png'
    write_depth_png(2 * RAMP, tmp_path / 'physics' / mirrored)
    folders = dict(physics_depth=str(tmp_path / 'physics'))
    transforms = [LoadFrames(), LoadDepthMaps(), PackFrames()]
    sample = build(root, [1], pipeline=transforms, depth_folders=folders)[0]
    assert np.allclose(sample['inputs']['physics_depth'][0], 2 * RAMP)
    assert np.allclose(sample['inputs']['gt_depth'][0], RAMP)
    with pytest.raises(FileNotFoundError, match='physics_depth in .*0000000002.png.*embodied'):
        build(root, depth_folders=folders)


def _other_size(root):
    write_depth_png(RAMP[:-1], depth_file(root.parent / 'depth', 1))


def _damaged(root):
    depth_file(root.parent / 'depth', 1).write_bytes(b'\x89PNG\r\n\x1a\n')


def _eight_bit(root):
    kitti_files.image(1).save(depth_file(root.parent / 'depth', 1))


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (_other_size, r'of the size of its image .*\(38, 124\), got \(37, 124\)'),
        (_damaged, 'damaged'),
        (_eight_bit, '16-bit'),
    ],
)
def test_bad_depth_maps_are_named(root, spoil, message):
    spoil(root)
    dataset = build(root, [1], pipeline=[LoadFrames(), LoadDepthMaps()])
    with pytest.raises(DepthDataError, match=f'0000000001.png: expected.*{message}'):
        dataset[0]


def test_transforms_name_what_is_missing(root):
    dataset = build(root, [1], pipeline=[LoadFrames()])
    loaded = dataset[0]
    with pytest.raises(DepthDataError, match='gt_depth among the depth maps'):
        KeepTruth()(loaded)
    with pytest.raises(DepthDataError, match='at least .1216, 352., got .124, 38.'):
        BottomCrop()(loaded)
    with pytest.raises(DepthDataError, match="intrinsics='calibrated'"):
        BottomCrop((60, 24))(dict(loaded, relative_intrinsics=(1, 1, 0.5, 0.5)))
    with pytest.raises(DepthDataError, match='expected depth maps of the sample'):
        LoadDepthMaps()(dict(loaded, depth_paths={}))
    depth_file(root.parent / 'depth', 1).unlink()
    with pytest.raises(FileNotFoundError, match='0000000001.png'):
        LoadDepthMaps()(loaded)


@pytest.mark.parametrize('name', ['kitti_supervised', 'toy_kitti_supervised'])
def test_configs_of_the_data_sets_build(name):
    init_default_scope('mmengine')
    config = Config.fromfile(find_config(f'_base_/datasets/{name}.py'))
    for loader in (config.train_dataloader, config.test_dataloader):
        assert DATASETS.get(loader.dataset.type) is KittiDepthDataset
        for transform in loader.dataset.pipeline:
            TRANSFORMS.build(transform)
    kinds = [transform.type for transform in config.test_dataloader.dataset.pipeline]
    assert kinds.index('KeepTruth') < max(
        map(kinds.index, {'BottomCrop', 'ResizeFrames'} & {*kinds})
    )


@pytest.mark.parametrize('size', [(1242, 375), (1241, 376), (1238, 374), (1226, 370), (1224, 370)])
def test_the_evaluated_window_is_inside_the_benchmark_crop(size):
    """For every image size of KITTI, the crop is compared on all pixels of the protocol."""
    frame = Image.new('RGB', size)
    crop = BottomCrop()(dict(frames={0: frame}, img_paths={0: 'a.png'}))['crop']
    protocol = PROTOCOLS['kitti_eigen_supervised']
    truth = np.full(size[::-1], 10, np.float32)
    _, inside = uncrop(np.full((352, 1216), 10.0), truth, crop, 'metric', protocol)
    compared = valid_pixels(truth, protocol)
    assert compared.any() and np.array_equal(valid_pixels(inside, protocol), compared)


def test_real_annotated_frame(real_data):
    """A frame of the depth prediction set in a KITTI tree of ours: its image, depth and crop."""
    source = real_data / 'kitti_depth_annotated'
    depth = read_depth_png(source / 'depth' / '0000000050.png')
    with Image.open(source / 'rgb' / '0000000050.png') as image:
        assert image.size == depth.shape[::-1]
        frames = {0: image.convert('RGB')}
    sample = dict(frames=frames, img_paths={0: 'a.png'}, ori_shape=depth.shape)
    sample['depth_maps'] = dict(gt_depth=depth)
    cropped = BottomCrop()(sample)['depth_maps']['gt_depth']
    assert cropped.shape == (352, 1216)
    known = depth > 0
    assert 0.1 < known.mean() < 0.4 and 2 < depth[known].min() and depth.max() < 90
    # nothing but the sky and the ends of the rows is cut off
    assert (cropped > 0).sum() > 0.95 * known.sum()
