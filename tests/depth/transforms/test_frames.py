"""Pipeline from files to items: loading, flip, resizing, jitter, packing."""

import json
import math

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate
from nuscenes.utils.geometry_utils import transform_matrix
from PIL import Image
from pyquaternion import Quaternion
from torch.utils.data import DataLoader

from hybrid_depth.datasets.kitti.calibration import KittiCalibration
from hybrid_depth.datasets.kitti.raw import KittiRawDataset
from hybrid_depth.datasets.kitti.velodyne import read_velodyne, velodyne_depth_map
from hybrid_depth.depth.transforms.flip import FlipFrames
from hybrid_depth.depth.transforms.jitter import JitterFrames
from hybrid_depth.depth.transforms.load import LoadFrames
from hybrid_depth.depth.transforms.pack import PackFrames
from hybrid_depth.depth.transforms.resize import ResizeFrames, ResizeShortSide, resize_cam2img
from hybrid_depth.errors import DepthDataError
from hybrid_depth.foundation.images import unit_range
from tests.datasets import kitti_files
from tests.golden import monodepth2
from tests.golden.reader import Golden

KITTI = Golden('monodepth2_kitti')
CASES = ('eval', 'train_flip', 'train_aug_flip')
STEPS = ['brightness', 'contrast', 'saturation', 'hue']


def sample(**changes) -> dict:
    return dict(
        frames={0: kitti_files.image(1), -1: kitti_files.image(0)},
        img_paths={0: 'a.png', -1: 'b.png'},
        ori_shape=kitti_files.SIZE[::-1],
        cam2img=np.array([[72.0, 0, 61], [0, 72, 17], [0, 0, 1]]),
        meta=dict(name='a'),
        **changes,
    )


def item(root, split, pipeline, **kwargs) -> dict:
    return KittiRawDataset(data_root=str(root), split=str(split), pipeline=pipeline, **kwargs)[0]


def test_item_of_a_dataset(tmp_path):
    root = kitti_files.write_raw_tree(tmp_path / 'kitti')
    split = kitti_files.write_list(tmp_path / 'list.txt', [1, 2])
    pipeline = [LoadFrames(), ResizeFrames((64, 32)), JitterFrames(prob=1), PackFrames()]
    dataset = KittiRawDataset(
        data_root=str(root), split=split, pipeline=pipeline, frame_ids=(0, -1, 1, 's')
    )
    (batch,) = DataLoader(dataset, batch_size=2, collate_fn=default_collate)
    inputs = batch['inputs']
    for name in ('images', 'augmented'):
        assert list(inputs[name]) == [0, -1, 1, 's']
        assert inputs[name]['s'].shape == (2, 3, 32, 64)
        assert inputs[name]['s'].dtype == torch.uint8
    assert not torch.equal(inputs['images'][0], inputs['augmented'][0])
    assert inputs['cam2img'].shape == (2, 3, 3)
    stereo = torch.eye(4)
    stereo[0, 3] = -kitti_files.BASELINE  # points move left in the frame of the right camera
    assert torch.allclose(inputs['transforms']['s'], stereo.expand(2, 4, 4))
    (first, second) = batch['data_samples']
    assert (first.frame, second.frame) == (1, 2)
    assert first.ori_shape == kitti_files.SIZE[::-1] and first.img_shape == (32, 64)


def test_missing_neighbours(tmp_path):
    root = kitti_files.write_raw_tree(tmp_path / 'kitti')
    split = kitti_files.write_list(tmp_path / 'list.txt', [0])
    pipeline = [LoadFrames(), ResizeFrames((64, 32)), PackFrames()]
    images = item(root, split, pipeline, missing_neighbours='repeat')['inputs']['images']
    assert torch.equal(images[-1], images[0]) and not torch.equal(images[1], images[0])
    images = item(root, split, pipeline, missing_neighbours='black')['inputs']['images']
    assert images[-1].abs().sum() == 0


def test_damaged_and_mismatched_images_are_named(tmp_path):
    root = kitti_files.write_raw_tree(tmp_path / 'kitti')
    split = kitti_files.write_list(tmp_path / 'list.txt', [1])
    folder = root / kitti_files.DRIVE / 'image_02' / 'data'
    Image.new('RGB', (50, 20)).save(folder / '0000000002.png')
    with pytest.raises(DepthDataError, match='0000000002.png: expected 124x38.*got 50x20'):
        item(root, split, [LoadFrames()])
    (folder / '0000000000.png').write_bytes(b'\x89PNG\r\n\x1a\n')
    with pytest.raises(DepthDataError, match='0000000000.png: expected an image'):
        item(root, split, [LoadFrames()])


def test_flip_is_consistent_for_pixels_camera_and_stereo_partner():
    """A point at x must be at width - 1 - x after the flip, also by the camera model."""
    turned = transform_matrix([-0.5, 0.1, 0.7], Quaternion(axis=[0.2, 1, 0], angle=0.3))
    before = sample(transforms={1: turned}, lanes=np.array([[-2.0, 10.0]]))
    after = FlipFrames(prob=1)(before)
    width = kitti_files.SIZE[0]
    x, depth = 2.0, 10.0
    seen = 72 * x / depth + before['cam2img'][0, 2]
    mirrored = 72 * -x / depth + after['cam2img'][0, 2]
    assert mirrored == pytest.approx(width - 1 - seen)
    assert before['cam2img'][0, 2] == 61, 'the sample given is not changed'
    point = np.array([x, 1, depth, 1])
    mirrored_point = point * [-1, 1, 1, 1]
    there = after['transforms'][1] @ mirrored_point
    np.testing.assert_allclose(there, turned @ point * [-1, 1, 1, 1])
    assert after['lanes'].tolist() == [[-2, width - 1 - 10]]
    for frame_id, frame in after['frames'].items():
        plain = np.asarray(before['frames'][frame_id])
        assert np.array_equal(np.asarray(frame), plain[:, ::-1])
    assert not FlipFrames(prob=0)(before)['flip']


def test_resize_is_consistent_with_the_intrinsics():
    """The image's borders (-0.5 and width - 0.5) stay borders."""
    cam2img = sample()['cam2img']
    new = resize_cam2img(cam2img, (124, 38), (62, 76))
    for axis, (old_side, new_side) in enumerate(((124, 62), (38, 76))):
        for border in (-0.5, old_side - 0.5):
            slope = (border - cam2img[axis, 2]) / cam2img[axis, axis]
            moved = slope * new[axis, axis] + new[axis, 2]
            assert moved == pytest.approx((border + 0.5) * new_side / old_side - 0.5)


def test_relative_intrinsics_are_independent_of_size_and_flip():
    given = sample()
    del given['cam2img']
    given['relative_intrinsics'] = (0.58, 1.92, 0.5, 0.5)
    resized = ResizeFrames((640, 192))(FlipFrames(prob=1)(given))
    expected = [[371.2, 0, 320], [0, 368.64, 96], [0, 0, 1]]
    np.testing.assert_allclose(resized['cam2img'], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ('size', 'expected'),
    [((1280, 720), (224, 392)), ((124, 38), (224, 728)), ((30, 40), (294, 224))],
)
def test_short_side(size, expected):
    resized = ResizeShortSide()(dict(frames={0: Image.new('RGB', size)}))
    assert resized['img_shape'] == expected


def test_unknown_interpolation():
    with pytest.raises(DepthDataError, match='lanczos or bilinear'):
        ResizeFrames((4, 4), interpolation='cubic')


def test_jitter_per_sample_or_per_frame():
    frame = kitti_files.image(0)
    given = dict(sample(), frames={0: frame, 1: frame.copy()})
    for per_frame in (False, True):
        augmented = JitterFrames(prob=1, per_frame=per_frame)(given)['augmented']
        same = np.array_equal(np.asarray(augmented[0]), np.asarray(augmented[1]))
        assert same != per_frame
    assert 'augmented' not in JitterFrames(prob=0)(given)


def test_jitter_draws_in_range_and_in_all_orders():
    draws = [JitterFrames().draw() for _ in range(200)]
    assert len({tuple(step for step, _ in draw) for draw in draws}) == math.factorial(4)
    for step, factor in (pair for draw in draws for pair in draw):
        low, high = (-0.1, 0.1) if STEPS[step] == 'hue' else (0.8, 1.2)
        assert low <= factor <= high


def test_without_jitter_augmented_images_are_the_clean_ones():
    inputs = PackFrames()(sample())['inputs']
    assert inputs['augmented'][0] is inputs['images'][0]


def test_models_average_areas_unless_a_pyramid_is_packed():
    assert 'pyramid' not in PackFrames()(sample())['inputs']
    inputs = PackFrames(pyramid=2)(sample())['inputs']
    rows, columns = inputs['images'][0].shape[-2:]
    for scale, images in inputs['pyramid'].items():
        assert set(images) == set(inputs['images'])
        assert all(image.shape == (3, rows >> scale, columns >> scale) for image in images.values())


def real_item(real_data, tmp_path, flip: bool) -> dict:
    """The recipe's second frame with its neighbours, loaded and mirrored."""
    split = tmp_path / 'list.txt'
    split.write_text(f'{monodepth2.DRIVE} {monodepth2.FRAMES[1]} l\n')
    pipeline = [LoadFrames(), FlipFrames(prob=float(flip))]
    return item(real_data / 'kitti_raw', split, pipeline, intrinsics='monodepth2')


@pytest.mark.parametrize('case', CASES)
def test_golden_items_of_a_real_frame(real_data, tmp_path, case):
    """LANCZOS, flip and jitter equal the official loader's images bit for bit at every scale."""
    meta = json.loads(str(KITTI.array('meta')))
    jitter = JitterFrames(prob=float('aug' in case))
    steps = [(STEPS.index(name), meta['jitter_factors'][name]) for name in meta['jitter_order']]
    jitter.draw = lambda: steps
    results, checked = real_item(real_data, tmp_path, 'flip' in case), set()
    for scale in range(4):
        # each image is resized from the next larger one, each camera from its size
        results.pop('cam2img', None)
        results = ResizeFrames((meta['width'] >> scale, meta['height'] >> scale))(results)
        inputs = PackFrames()(jitter(results))['inputs']
        for ours, theirs in (('images', 'color'), ('augmented', 'color_aug')):
            for frame_id, image in inputs[ours].items():
                name = f'item.{case}.{theirs}.{frame_id}.{scale}'
                if f'{name}.slice' in KITTI:
                    KITTI.check(name, unit_range(image), 0)
                    checked.add(name)
        if case != 'train_flip':
            camera = torch.eye(4)
            camera[:3, :3] = inputs['cam2img']
            KITTI.check(f'item.{case}.K.{scale}', camera, 1e-6)
            inverse = torch.linalg.inv(camera)
            # per value; the release's is from singular values in float32
            KITTI.check(f'item.{case}.inv_K.{scale}', inverse, 1e-5, inverse.abs() + 1e-3)
    assert checked == set(KITTI.names(f'item.{case}.color*'))


@pytest.mark.parametrize('case', ['eval', 'train_aug_flip'])
def test_golden_pyramid_of_a_real_frame(real_data, tmp_path, case):
    meta = json.loads(str(KITTI.array('meta')))
    results = real_item(real_data, tmp_path, 'flip' in case)
    results = ResizeFrames((meta['width'], meta['height']))(results)
    pyramid = PackFrames(pyramid=3)(results)['inputs']['pyramid']
    stored = KITTI.names(f'item.{case}.color.*.[123]')
    assert len(stored) >= 3 and list(pyramid) == [1, 2, 3]
    for name in stored:
        frame_id, scale = map(int, name.split('.')[-2:])
        KITTI.check(name, unit_range(pyramid[scale][frame_id]), 0)


@pytest.mark.parametrize('case', CASES)
def test_golden_depth_of_a_real_frame(real_data, case):
    day = (real_data / 'kitti_raw' / monodepth2.DRIVE).parent
    sweep = f'{monodepth2.FRAMES[1]:010d}.bin'
    points = read_velodyne(day.parent / monodepth2.DRIVE / 'velodyne_points/data' / sweep)
    depth = velodyne_depth_map(points, KittiCalibration.from_folder(day), 2, 'z')
    # the release resizes to 375 x 1242 by the nearest pixel: maps of that size do not change
    assert depth.shape == (375, 1242)
    flipped = depth[:, ::-1] if 'flip' in case else depth
    KITTI.check(f'item.{case}.depth_gt', flipped[None].astype(np.float32), 0)
