"""Masks of the vehicle itself, from the file of a camera to the loss."""

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.registry import MODELS
from PIL import Image

from hybrid_depth.datasets.ego_masks import read_ego_mask
from hybrid_depth.datasets.video.video_folder import VideoFolderDataset
from hybrid_depth.depth.estimators import DepthDataPreprocessor
from hybrid_depth.depth.estimators.mono_vifi import masked_photometric
from hybrid_depth.depth.transforms import (
    AffineFrames,
    FlipFrames,
    LoadEgoMask,
    LoadFrames,
    PackFrames,
    ResizeFrames,
)
from hybrid_depth.errors import DepthDataError
from hybrid_depth.geometry.affine_view import AffineView
from tests.depth.estimators.test_mono_vifi import CFG as MONO_VIFI
from tests.depth.estimators.tiny import CONV, make_inputs

PIPELINE = [
    LoadFrames(),
    LoadEgoMask(),
    FlipFrames(prob=1.0),
    ResizeFrames((96, 64)),
    PackFrames(),
]


@pytest.fixture
def rig(tmp_path):
    """Two drives of two cameras; the body is at the lower left of the front camera alone."""
    random = np.random.default_rng(0)
    for folder in ('a/front', 'a/left', 'b/front', 'b/left'):
        (tmp_path / 'video' / folder).mkdir(parents=True)
        for index in range(3):
            image = Image.fromarray(random.integers(0, 256, (32, 48, 3)).astype(np.uint8))
            image.save(tmp_path / f'video/{folder}/{index}.png')
    (tmp_path / 'masks').mkdir()
    for name in ('front', 'left'):
        mask = np.zeros((32, 48), np.uint8)
        mask[24:, :12] = 255 * (name == 'front')
        Image.fromarray(mask).save(tmp_path / f'masks/{name}.png')
    return tmp_path


def dataset(rig, **kwargs):
    return VideoFolderDataset(
        str(rig / 'video'),
        (40, 40, 24, 16),
        ego_masks=str(rig / 'masks'),
        pipeline=PIPELINE,
        **kwargs,
    )


def test_masks_follow_their_camera_through_the_pipeline(rig):
    items = dataset(rig)
    masks = {item['data_samples'].folder: item['inputs']['ego_mask'] for item in items}
    assert set(masks) == {'a/front', 'a/left', 'b/front', 'b/left'}
    for folder, mask in masks.items():
        expected = torch.zeros(1, 64, 96)
        if folder.endswith('front'):
            expected[:, 48:, 72:] = 1  # mirrored, at twice the size
        assert torch.equal(mask, expected)


def test_the_model_ignores_what_they_hide(rig):
    items = dataset(rig)
    batch = DepthDataPreprocessor()(
        dict(inputs=default_collate([items[0]['inputs'], items[1]['inputs']]))
    )['inputs']
    model = MODELS.build(CONV)
    hidden = model.views(batch).hidden
    assert hidden.shape == (3, 2, 1, 64, 96)
    terms = model.compare(batch)[0]
    body = batch['ego_mask'][:, 0] > 0
    assert body.any() and not terms.visible[body].any() and terms.visible.float().mean() > 0.5
    assert torch.isfinite(model.loss(batch)['loss_photometric'])


def test_mono_vifi_ignores_them_in_all_its_images(rig):
    """Also in images between the frames, and where an affine view shows them."""
    size = (96, 64)
    pipeline = [LoadFrames(), LoadEgoMask(), AffineFrames(size), ResizeFrames(size), PackFrames()]
    items = VideoFolderDataset(
        str(rig / 'video'), (40, 40, 24, 16), ego_masks=str(rig / 'masks'), pipeline=pipeline
    )
    model = MODELS.build(MONO_VIFI)
    batch = model.data_preprocessor(default_collate([items[0], items[1]]), training=True)['inputs']
    body, view = batch['ego_mask'], AffineView(**batch['affine']['view'])
    terms = model.compare(batch)
    for time in (0, -0.5, 0.5):
        for found in (terms.single[time], terms.multi[time]):
            assert not found.visible[body[:, 0] > 0].any()
            assert found.visible.float().mean() > 0.5
        turned = view.apply(body)[:, 0] > 0
        affine = terms.affine[time]
        assert not affine.visible[turned].any()
        counted = affine.smallest * (affine.visible & view.seen[:, 0])
        assert masked_photometric(affine, view) == counted.mean()
    assert turned.any() and not torch.equal(turned, body[:, 0] > 0)
    assert model.loss(batch)['loss_photometric'].isfinite()


def test_the_other_camera_of_a_stereo_pair_has_no_mask_of_this_one():
    inputs = make_inputs((-1, 's'))
    inputs['ego_mask'] = torch.ones(2, 1, *inputs['images'][0].shape[-2:])
    hidden = MODELS.build({**CONV, 'sources': (-1, 's')}).views(inputs).hidden
    assert hidden[:2].all() and not hidden[2].any()


def test_missing_and_wrong_masks(rig):
    (rig / 'masks/left.png').unlink()
    with pytest.raises(FileNotFoundError, match='left.png of camera left.*make-ego-masks'):
        dataset(rig)
    with pytest.raises(DepthDataError, match='set ego_masks'):
        LoadEgoMask()(dict(ori_shape=(32, 48)))
    for values in (np.full((32, 48), 255, np.uint8), np.full((32, 48), 7, np.uint8)):
        Image.fromarray(values).save(rig / 'masks/left.png')
        with pytest.raises(DepthDataError, match='left.png: expected 0'):
            read_ego_mask(rig / 'masks/left.png')
    with pytest.raises(DepthDataError, match='48 x 31'):
        read_ego_mask(rig / 'masks/front.png', (48, 31))
