"""The golden folder has one recipe, by which its arrays are drawn and read."""

import json
import zlib
from fnmatch import fnmatchcase

import numpy as np
import pytest
import torch

from tests.golden import monodepth2, recipe, weights
from tests.golden.exceptions import NOT_IMPLEMENTED
from tests.golden.reader import Golden

FILES = {
    path.stem: Golden(path.stem)
    for path in sorted(recipe.FOLDER.glob('*.npz'))
    if not any(fnmatchcase(path.stem, pattern) for pattern in NOT_IMPLEMENTED)
}


@pytest.mark.parametrize('name', FILES)
def test_every_file_is_of_the_recipe(name):
    """Salt, sizes, drive, frames and shift, and the drawn images, if a file has them."""
    golden = FILES[name]
    if 'salt' in golden:
        assert str(golden.array('salt')) == recipe.SALT
    for key in ('meta', 'versions'):
        if key in golden:
            stored = json.loads(str(golden.array(key)))
            assert stored['salt'] == recipe.SALT
            if stored.get('generator') == 'monodepth2':
                for entry in {'size', 'small', 'drive', 'frames'} & set(stored):
                    assert stored[entry] == recipe.RECIPE['monodepth2'][entry]
    if 'shift' in golden:
        golden.check('shift', recipe.RECIPE['hybrid_depth']['triplet_shift'], 0)
    for key in ('image', 'warp.image'):
        if key in golden:
            assert all(image.startswith('hybrid_depth.') for image in golden.array(key).flat)
    if 'rules' in golden:
        assert set(json.loads(str(golden.array('rules')))) <= set(golden.names('*'))


def test_random_arrays_do_not_depend_on_the_version_of_numpy():
    """NumPy 2 divided weights in float64, which changed float64 parity by 1e-7."""
    drawn = weights.tensor('a.weight', (64, 3, 7, 7))
    assert drawn.dtype == np.float32
    assert zlib.crc32(drawn.tobytes()) == 3633535948  # as with NumPy 1.26


def test_another_salt_gives_other_weights_and_images(monkeypatch):
    names = 'encoder.conv1.weight', 'monodepth2.frames', 'hybrid_depth.depth'

    def draw() -> list[torch.Tensor]:
        images = (recipe.image(name, (3, 4, 5)) for name in names[1:])
        return [recipe.tensor(names[0], (2, 3)), *images]

    monkeypatch.setattr(recipe, 'SALT', '')
    plain = draw()
    assert torch.equal(plain[1], torch.from_numpy(weights.image(names[1], (3, 4, 5))))
    monkeypatch.setattr(recipe, 'SALT', 'pepper')
    for one, other in zip(plain, draw(), strict=True):
        assert not torch.equal(one, other)
    salted = weights.image('hybrid_depth.depth.pepper', (3, 4, 5))
    assert torch.equal(draw()[2], torch.from_numpy(salted))


def test_frames_depend_on_the_sizes():
    for size in (monodepth2.SIZE, monodepth2.SMALL):
        frames = monodepth2.frames(size)
        assert frames[0].shape == (size[0], 3, *size[1:])
        assert torch.equal(frames[1][..., :-12], frames[0][..., 12:])
