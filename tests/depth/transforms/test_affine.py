"""Affine views: the official item, and the camera of a view."""

import numpy as np
import pytest
import torch
from PIL import Image

from hybrid_depth.datasets.kitti.raw import KittiRawDataset
from hybrid_depth.depth.transforms.affine import AffineFrames
from hybrid_depth.depth.transforms.flip import FlipFrames
from hybrid_depth.depth.transforms.jitter import JitterFrames
from hybrid_depth.depth.transforms.load import LoadFrames
from hybrid_depth.depth.transforms.pack import PackFrames
from hybrid_depth.depth.transforms.resize import ResizeFrames
from hybrid_depth.errors import DepthDataError
from hybrid_depth.foundation.images import unit_range
from tests.golden.mono_vifi import meta
from tests.golden.reader import Golden

GOLDEN = Golden('mono_vifi_data')
STEPS = ['brightness', 'contrast', 'saturation', 'hue']


def official_item(root, split, frame, pipeline):
    split.write_text(f'{meta(GOLDEN)["drive"]} {frame} l\n')
    return KittiRawDataset(
        data_root=str(root / 'kitti_raw'),
        split=str(split),
        frame_ids=(0, -1, 1),
        intrinsics='monodepth2',
        missing_neighbours='repeat',
        pipeline=pipeline,
    )[0]['inputs']


def test_golden_item(real_data, tmp_path):
    recipe = meta(GOLDEN)
    flip, jittered, *place = recipe['draws']
    assert flip > 0.5 and jittered > 0.5
    size = (recipe['width'], recipe['height'])
    affine, jitter = AffineFrames(size), JitterFrames(prob=1, per_frame=True)
    affine.draw = lambda: (recipe['ratio'], recipe['angle'], *place)
    factors = recipe['jitter_factors']
    jitter.draw = lambda: [(STEPS.index(n), factors[n]) for n in recipe['jitter_order']]
    pipeline = [LoadFrames(), FlipFrames(1), affine, ResizeFrames(size), jitter, PackFrames()]
    inputs = official_item(real_data, tmp_path / 'list.txt', recipe['frame'], pipeline)
    for i in (-1, 0, 1):
        for name, images in (('color', inputs), ('color_affine', inputs['affine'])):
            GOLDEN.check(f'item.{name}.{i}.0', unit_range(images['images'][i]), 1e-7)
            GOLDEN.check(f'item.{name}_aug.{i}.0', unit_range(images['augmented'][i]), 1e-7)
    check_view(inputs['affine']['view'], size)
    check_cameras(inputs['cam2img'], size)


def check_view(view, size):
    GOLDEN.check('item.Rc', view['camera'], 1e-6)
    GOLDEN.check('item.ratio_local', view['ratio'].view(1), 0)
    GOLDEN.check('item.angle', view['angle'].view(1), 0)
    GOLDEN.check('item.box', view['box'], 0)
    shape = (1, *size[::-1])
    for name, field in (('valid_mask_rec', 'seen'), ('valid_mask_cons', 'returned')):
        different = GOLDEN.bits(f'item.{name}.packed', shape) != view[field]
        assert different.float().mean() <= 5e-3, different.float().mean()


def check_cameras(cam2img, size):
    """The release has the scales 0 to 3, of which it uses the first."""
    for scale in range(4):
        camera = torch.eye(4)
        camera[:2, :3] = cam2img[:2] / 2**scale
        camera[2, :3] = cam2img[2]
        GOLDEN.check(f'item.K.{scale}', camera, 1e-6)
        inverse = torch.linalg.inv(camera)
        # per value; the release's is from singular values in float32
        GOLDEN.check(f'item.inv_K.{scale}', inverse, 1e-5, inverse.abs() + 1e-3)


def test_golden_first_frame_of_a_drive(real_data, tmp_path):
    """Without a frame before it the release takes copies for both neighbours, here for that one."""
    pipeline = [LoadFrames(), ResizeFrames((64, 32)), PackFrames()]
    images = official_item(real_data, tmp_path / 'list.txt', 0, pipeline)['images']
    assert GOLDEN.array('first.same').tolist() == [True, True]
    assert torch.equal(images[-1], images[0]) and not torch.equal(images[1], images[0])


def sample(frame):
    cam2img = np.array([[50.0, 0, 31.5], [0, 50, 15.5], [0, 0, 1]])
    return dict(
        frames={0: frame},
        cam2img=cam2img,
        img_paths={0: 'a.png'},
        ori_shape=frame.size[::-1],
        meta=dict(name='a'),
    )


def test_points_are_seen_where_the_view_shows_them():
    """A bright dot, through the image and through the camera of the view."""
    frame = Image.new('RGB', (64, 32))
    frame.paste((255, 255, 255), (39, 11, 42, 14))  # centre (40, 12)
    transform = AffineFrames((64, 32))
    transform.draw = lambda: (1.6, 4.0, 0.5, 0.4)
    results = transform(sample(frame))
    camera = results['affine']['view']['camera'].double().numpy()
    shown = np.asarray(results['affine']['frames'][0])[..., 0].astype(float)
    rows, columns = np.mgrid[:32, :64]
    centre = [(shown * axis).sum() / shown.sum() for axis in (columns, rows)]
    cam2img = results['cam2img']
    point = camera @ np.linalg.inv(cam2img) @ [40, 12, 1]
    projected = (cam2img @ point)[:2] / point[2]
    np.testing.assert_allclose(projected, centre, atol=0.8)  # pixel centres: half a pixel


def test_draws_are_in_range():
    transform = AffineFrames((64, 32), ratio=(1.5, 1.6), angle=(-2, -1))
    for _ in range(20):
        ratio, angle, x, y = transform.draw()
        assert 1.5 <= ratio <= 1.6 and -2 <= angle <= -1 and 0 <= min(x, y) <= max(x, y) < 1


def test_unknown_intrinsics():
    given = sample(Image.new('RGB', (64, 32)))
    del given['cam2img']
    with pytest.raises(DepthDataError, match='intrinsics'):
        AffineFrames((64, 32))(given)
