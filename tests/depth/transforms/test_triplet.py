"""Augmentation of triplets: the official items, and each step."""

import numpy as np
import pytest
from PIL import Image

from hybrid_depth.depth.transforms.load import LoadFrames
from hybrid_depth.depth.transforms.pack import PackFrames
from hybrid_depth.depth.transforms.resize import ResizeFrames
from hybrid_depth.depth.transforms.triplet import AugmentTriplet
from hybrid_depth.errors import DepthDataError
from hybrid_depth.foundation.images import unit_range
from tests.depth.transforms.test_affine import official_item
from tests.golden.mono_vifi import meta
from tests.golden.reader import Golden

GOLDEN = Golden('mono_vifi_data')


def test_golden_items(real_data, tmp_path):
    recipe = meta(GOLDEN)
    size, crop = (recipe['width'], recipe['height']), (576, 160)
    augment = AugmentTriplet(crop)
    top, left = recipe['vfi_crop']
    place = ((left + 0.5) / (size[0] - crop[0] + 1), (top + 0.5) / (size[1] - crop[1] + 1))
    augment.draw = lambda: [*place, *recipe['vfi_draws']]
    resized = [LoadFrames(), ResizeFrames(size, 'opencv')]
    for prefix, steps in (('vfi', []), ('vfi.train', [augment])):
        pipeline = [*resized, *steps, PackFrames()]
        inputs = official_item(real_data, tmp_path / 'list.txt', recipe['frame'], pipeline)
        for number, i in enumerate((-1, 0, 1)):
            GOLDEN.check(f'{prefix}.img{number}', unit_range(inputs['images'][i]), 1e-6)
        assert GOLDEN.array(f'{prefix}.embt') == 0.5  # the time that `IFRNet` takes by default
        assert ('cam2img' in inputs) == (not steps)


def sample():
    pixels = np.random.default_rng(0).integers(0, 255, (3, 6, 8, 3), np.uint8)
    frames = {i: Image.fromarray(p) for i, p in zip((-1, 0, 1), pixels, strict=True)}
    return dict(frames=frames, cam2img=np.eye(3), transforms={-1: np.eye(4)}), pixels


@pytest.mark.parametrize('step', range(4))
def test_each_step(step):
    given, pixels = sample()
    augment = AugmentTriplet((8, 6))
    augment.draw = lambda: [0, 0, *(0.0 if i == step else 0.99 for i in range(4))]
    results = augment(given)
    found = np.stack([np.asarray(results['frames'][i]) for i in (-1, 0, 1)])
    expected = (pixels[..., ::-1], pixels[:, ::-1], pixels[:, :, ::-1], pixels[::-1])[step]
    assert np.array_equal(found, expected) and not {'cam2img', 'transforms'} & set(results)


def test_crops_are_anywhere_inside():
    given, pixels = sample()
    augment = AugmentTriplet((5, 4))
    for x, y, left, top in ((0, 0, 0, 0), (0.999, 0.999, 3, 2)):
        augment.draw = lambda x=x, y=y: [x, y, 1, 1, 1, 1]
        results = augment(given)
        found = np.asarray(results['frames'][0])
        assert np.array_equal(found, pixels[1, top : top + 4, left : left + 5])
        assert results['img_shape'] == (4, 5)


def test_bad_input():
    given, _ = sample()
    with pytest.raises(DepthDataError, match='at least'):
        AugmentTriplet((9, 6))(given)
    del given['frames'][1]
    with pytest.raises(DepthDataError, match='frames -1, 0, 1'):
        AugmentTriplet((8, 6))(given)
