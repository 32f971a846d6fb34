"""Cityscapes triplets and frames, against the official loader and with holes."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from hybrid_depth.datasets.cityscapes import CityscapesFrameDataset, CityscapesTripletDataset
from hybrid_depth.datasets.kitti.raw import KittiRawDataset
from hybrid_depth.depth.transforms.jitter import JitterFrames
from hybrid_depth.depth.transforms.load import LoadFrames
from hybrid_depth.depth.transforms.pack import PackFrames
from hybrid_depth.depth.transforms.resize import ResizeFrames
from hybrid_depth.errors import DepthDataError
from hybrid_depth.foundation.images import unit_range
from tests.golden.manydepth import image, meta
from tests.golden.reader import Golden

GOLDEN = Golden('manydepth_data')
SIZE = (256, 96)
TRAIN_CAMERA = '1131.1,0,522.5,0,1133.2,252.1,0,0,1'
TEST_CAMERA = dict(fx=2262.52, fy=2265.30, u0=1096.98, v0=513.137)


def picture(name, shape):
    """An 8-bit image of the recipe."""
    pixels = np.round(255 * image(name, shape).numpy()).astype(np.uint8)
    return Image.fromarray(pixels.transpose(1, 2, 0))


def write_triplet(root, triplet, name='aachen_000000_000004'):
    (root / 'aachen').mkdir(parents=True, exist_ok=True)
    triplet.save(root / 'aachen' / f'{name}.png')
    (root / 'aachen' / f'{name}_cam.txt').write_text(TRAIN_CAMERA)
    return root


def write_frames(root, current, previous):
    name = 'berlin_000001_0000{:02d}'
    for kind, number, frame in (('', 19, current), ('_sequence', 17, previous)):
        folder = root / f'leftImg8bit{kind}/test/berlin'
        folder.mkdir(parents=True)
        frame.save(folder / f'{name.format(number)}_leftImg8bit.png')
    camera = root / 'camera/test/berlin' / f'{name.format(19)}_camera.json'
    camera.parent.mkdir(parents=True)
    camera.write_text(json.dumps(dict(intrinsic=TEST_CAMERA)))
    return root


def check_item(dataset, name, frame_ids):
    """All scales of an item: each image is resized from the next larger one."""
    results = LoadFrames()(dataset[0])
    relative = results.pop('relative_intrinsics')
    for scale in range(4):
        size = (SIZE[0] >> scale, SIZE[1] >> scale)
        results.pop('cam2img', None)
        results = ResizeFrames(size)(dict(results, relative_intrinsics=relative))
        inputs = PackFrames()(results)['inputs']
        for frame_id in frame_ids:
            for kind in ('color', 'color_aug'):
                key = f'{name}.{kind}.{frame_id}.{scale}'
                GOLDEN.check(key, unit_range(inputs['images'][frame_id]), 1e-7)
        camera = torch.eye(4)
        camera[:3, :3] = inputs['cam2img']
        GOLDEN.check(f'{name}.K.{scale}', camera, 1e-6)
        inverse = torch.linalg.inv(camera)
        # per value; the release's is from singular values in float32
        GOLDEN.check(f'{name}.inv_K.{scale}', inverse, 1e-5, inverse.abs() + 1e-3)


def test_golden_triplet(tmp_path):
    root = write_triplet(tmp_path, picture('cs_triplet', (3, 384, 3072)))
    dataset = CityscapesTripletDataset(data_root=str(root), frame_ids=(0, -1, 1), pipeline=[])
    check_item(dataset, 'cs_train', (-1, 0, 1))


def test_golden_frame(tmp_path):
    shape = (3, 1024, 2048)
    root = write_frames(tmp_path, picture('cs_cur', shape), picture('cs_prev', shape))
    dataset = CityscapesFrameDataset(
        data_root=str(root), frame_ids=(0, -1), pipeline=[], missing_neighbours='error'
    )
    assert dataset[0]['meta']['name'] == 'berlin_000001_000019'
    check_item(dataset, 'cs_test', (0, -1))


def test_golden_first_frame_of_a_kitti_drive(real_data, tmp_path):
    """The frame before it is black, also after the jitter."""
    recipe = meta(GOLDEN)
    split = tmp_path / 'list.txt'
    split.write_text(f'{recipe["drive"]} 0 l\n')
    size = (recipe['width'], recipe['height'])
    dataset = KittiRawDataset(
        data_root=str(real_data / 'kitti_raw'),
        split=str(split),
        frame_ids=(0, -1, 1),
        missing_neighbours='black',
        pipeline=[LoadFrames(), ResizeFrames(size), JitterFrames(prob=1), PackFrames()],
    )
    item = dataset[0]
    inputs = item['inputs']
    GOLDEN.check('first.color.-1.sum', inputs['images'][-1].sum(), 0)
    GOLDEN.check('first.color_aug.-1.sum', inputs['augmented'][-1].sum(), 0)
    for frame_id in (0, 1):
        GOLDEN.check(f'first.color.{frame_id}.0', unit_range(inputs['images'][frame_id]), 1e-7)
    assert bool(GOLDEN.array('first.has_depth')) is any('depth' in key for key in inputs)


def test_stacked_panels(tmp_path):
    bands = [Image.new('RGB', (1024, 400), (shade, 0, 0)) for shade in (10, 20, 30)]
    triplet = Image.new('RGB', (1024, 1200))
    for place, band in enumerate(bands):
        triplet.paste(band, (0, 400 * place))
    root = write_triplet(tmp_path, triplet)
    dataset = CityscapesTripletDataset(
        data_root=str(root), panels='stacked', frame_ids=(0, -1, 1), pipeline=[LoadFrames()]
    )
    frames = dataset[0]['frames']
    shades = {i: np.unique(np.asarray(frame)[..., 0]).tolist() for i, frame in frames.items()}
    assert shades == {-1: [10], 0: [20], 1: [30]} and frames[0].size == (1024, 400)
    assert dataset[0]['relative_intrinsics'][1] == 1133.2 / 400


def test_folders_with_holes(tmp_path):
    root = write_triplet(tmp_path / 'triplets', Image.new('RGB', (12, 4)))
    write_triplet(root, Image.new('RGB', (12, 4)), 'aachen_000000_000009')
    (root / 'aachen/aachen_000000_000009_cam.txt').unlink()
    with pytest.raises(FileNotFoundError, match=r'1 of 2, first .*000009_cam.txt'):
        CityscapesTripletDataset(data_root=str(root), pipeline=[])
    root = write_frames(tmp_path / 'frames', *[Image.new('RGB', (2048, 1024))] * 2)
    options = dict(data_root=str(root), frame_ids=(0, -1), pipeline=[])
    (previous,) = root.glob('leftImg8bit_sequence/*/*/*.png')
    previous.unlink()
    with pytest.raises(DepthDataError, match='lack a neighbour'):
        CityscapesFrameDataset(**options, missing_neighbours='error')
    black = CityscapesFrameDataset(**options, missing_neighbours='black')
    assert black[0]['img_paths'][-1] is None
    (camera,) = root.glob('camera/*/*/*.json')
    camera.write_text('{}')
    with pytest.raises(DepthDataError, match='expected the intrinsics fx'):
        CityscapesFrameDataset(**options, missing_neighbours='black')
    camera.unlink()
    with pytest.raises(FileNotFoundError, match='none for 1, first .*_camera.json'):
        CityscapesFrameDataset(**options)
    for dataset in (CityscapesTripletDataset, CityscapesFrameDataset):
        with pytest.raises(FileNotFoundError, match='expected'):
            dataset(data_root=str(tmp_path / 'none'), pipeline=[])


def test_arguments_that_do_not_fit(tmp_path):
    with pytest.raises(DepthDataError, match="got 'diagonal'"):
        CityscapesTripletDataset(data_root=str(tmp_path), panels='diagonal')
    with pytest.raises(DepthDataError, match='among'):
        CityscapesTripletDataset(data_root=str(tmp_path), frame_ids=(0, -2))
