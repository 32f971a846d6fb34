"""IDA against the official transform (docs/reference/golden.md, "BEVDet": bevdet_ida.npz)."""

import numpy as np
import pytest
import torch
from PIL import Image

from hybrid_depth.bev.transforms.image_augmentation import (
    ImageAugmentation,
    ImageAugmentationParams,
)
from hybrid_depth.bev.transforms.load_images import LoadMultiViewImages
from hybrid_depth.bev.transforms.pack_bev_inputs import PackBEVInputs
from hybrid_depth.foundation.images import unit_range
from tests.datasets.roots import keyframe_dataset
from tests.golden.bevdet import CAMERAS, GEOMETRY
from tests.golden.reader import Golden

IDA = Golden('bevdet_ida')
FULL = (1600, 900)
STEPS = dict(final_size=(256, 704))


@pytest.fixture(scope='module')
def sample(real_data, tmp_path_factory):
    dataset = keyframe_dataset(real_data, tmp_path_factory.mktemp('ida'))
    return LoadMultiViewImages()(dataset.get_data_info(0))


def stored_params() -> list[ImageAugmentationParams]:
    """The six fixed augmentations of view ``aug``."""
    keys = ('resize', 'resize_dims', 'crop', 'flip', 'rotate')
    columns = [IDA[f'aug.{key}'].tolist() for key in keys]
    return [
        ImageAugmentationParams(resize, tuple(dims), tuple(crop), bool(flip), rotate)
        for resize, dims, crop, flip, rotate in zip(*columns, strict=True)
    ]


def augmented(sample, view) -> dict:
    transform = ImageAugmentation(random=False, **STEPS)
    results = dict(sample)
    if view == 'test':
        return transform(results)
    return transform.apply(results, stored_params())


def check_matrices(matrices: np.ndarray, view: str, golden: Golden = IDA) -> None:
    """The official code separates pixels and depth: rotation (3, 3), translation (3,)."""
    rotation, translation = torch.eye(3).repeat(6, 1, 1).double(), torch.zeros(6, 3).double()
    rotation[:, :2, :2] = torch.from_numpy(matrices[:, :2, :2])
    translation[:, :2] = torch.from_numpy(matrices[:, :2, 2])
    golden.check(f'{view}.post_rot', rotation, 1e-6)
    golden.check(f'{view}.post_tran', translation, 2e-4, scale=1)  # float32 of up to 704 pixels
    np.testing.assert_array_equal(matrices[:, 2], np.tile([0, 0, 1], (len(matrices), 1)))


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_images_and_matrices_equal_the_official_ones(sample, view):
    results = augmented(sample, view)
    images = torch.from_numpy(np.stack([np.asarray(image) for image in results['img']]))
    IDA.check(f'{view}.uint8', images, 0)
    check_matrices(results['img_aug'], view)
    check_matrices(results['img_aug'], view, GEOMETRY)


def test_matrices_of_flipped_and_scaled_test_views():
    transform = ImageAugmentation(random=False, **STEPS)
    params = transform.fixed_params(FULL, resize_offset=0.04, flip=True)
    check_matrices(np.stack([params.matrix()] * 6), 'tta')


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_packed_images_equal_the_official_network_input(sample, view):
    """Packed RGB in [0, 1] becomes BGR with the RGB-ordered statistics.

    Source: docs/reference/bevdet.md, "Channel order".
    """
    packed = unit_range(PackBEVInputs()(augmented(sample, view))['inputs']['img'])
    mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
    std = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
    IDA.check(f'{view}.normalized', (packed.flip(1) * 255 - mean) / std, 1e-6)


def test_calibration_equals_the_official_one(sample):
    """Of the tables, and the chain from each camera to the ego frame at CAM_FRONT_LEFT's time."""
    cameras = [sample['images'][f'CAM_{name}'] for name in CAMERAS]
    cam2ego, ego2global = (
        np.stack([camera[name] for camera in cameras]) for name in ('cam2ego', 'ego2global')
    )
    IDA.check('sensor2ego', cam2ego, 1e-6)
    IDA.check('ego2global', ego2global, 1e-6)
    # chained in float64, from what the official code keeps in float32
    cam2ego, ego2global = (m.astype(np.float32).astype(float) for m in (cam2ego, ego2global))
    to_key = np.linalg.inv(ego2global[0]) @ ego2global @ cam2ego
    intrinsics = np.stack([np.array(camera['cam2img'])[:3, :3] for camera in cameras])
    for view in ('test', 'aug'):
        GEOMETRY.check(f'{view}.sensor2keyego', to_key, 1e-6)
        GEOMETRY.check(f'{view}.ego2global', ego2global, 1e-6)
        GEOMETRY.check(f'{view}.intrinsics', intrinsics, 1e-6)


def test_test_mode_numbers():
    params = ImageAugmentation(random=False, **STEPS).fixed_params(FULL)
    assert params == ImageAugmentationParams(0.44, (704, 396), (0, 140, 704, 396))


def test_crop_bottom_shifts_the_crop_up():
    options = dict(STEPS, crop_bottom=(0.1, 0.2))
    fixed = ImageAugmentation(random=False, **options).fixed_params(FULL)
    assert fixed.crop == (0, 336 - 256, 704, 336)  # the mean, 0.15 of 396 rows, is cut off
    transform = ImageAugmentation(random=True, **options)
    drawn = [transform.sample_params(FULL) for _ in range(50)]
    bottoms = [1 - params.crop[3] / params.resize_dims[1] for params in drawn]
    assert 0.1 <= min(bottoms) < 0.13 and 0.17 < max(bottoms) <= 0.21


def test_a_mark_moves_by_the_matrix():
    image = Image.new('RGB', FULL)
    u, v = 700, 520
    image.paste((255, 255, 255), (u - 4, v - 4, u + 5, v + 5))
    transform = ImageAugmentation(random=True, **STEPS)
    for _ in range(8):
        params = transform.sample_params(FULL)
        bright = np.argwhere(np.asarray(params.apply(image)).sum(2) > 300)
        expected = (params.matrix() @ [u + 0.5, v + 0.5, 1])[:2]
        np.testing.assert_allclose(bright.mean(0)[::-1] + 0.5, expected, atol=1.2)


def test_random_parameters_are_in_range_and_depend_on_the_seed():
    transform = ImageAugmentation(random=True, **STEPS)
    drawn = [transform.sample_params(FULL) for _ in range(200)]
    assert all(0.38 <= p.resize <= 0.55 and abs(p.rotate) <= 5.4 for p in drawn)
    assert all(p.crop[2] - p.crop[0] == 704 and p.crop[3] == p.resize_dims[1] for p in drawn)
    assert 0.3 < np.mean([p.flip for p in drawn]) < 0.7
    np.random.seed(0)
    assert transform.sample_params(FULL) == drawn[0]


def test_parameters_are_drawn_per_camera():
    results = ImageAugmentation(random=True, **STEPS)(dict(img=[Image.new('RGB', FULL)] * 2))
    assert not np.allclose(*results['img_aug'])


def test_half_size_decoding_keeps_the_augmentation(tmp_path):
    yy, xx = np.mgrid[:900, :1600]
    smooth = np.stack([xx / 1600, yy / 900, (xx + yy) / 2500], -1) * 255
    path = tmp_path / 'a.jpg'
    Image.fromarray(smooth.astype(np.uint8)).save(path, quality=95)
    cam2img = np.array([[1266.0, 0, 800], [0, 1266, 450], [0, 0, 1]])
    found = []
    for half in (False, True):
        info = dict(img_path=[path] * 2, cam2img=[cam2img] * 2, img_size=[FULL] * 2)
        np.random.seed(3)
        info = LoadMultiViewImages(half=half)(info)
        assert info['img'][0].size == ((800, 450) if half else FULL)
        found.append(ImageAugmentation(random=True, **STEPS)(info))
    np.testing.assert_array_equal(found[0]['img_aug'], found[1]['img_aug'])
    whole, half = (np.stack(each['img']).astype(float) for each in found)
    # a shift by half a pixel would be 0.25 on average
    assert np.abs(whole - half).mean() < 0.2
