"""Masks of two cameras, one of which sees the vehicle."""

import numpy as np
import pytest
from PIL import Image

from hybrid_depth.datasets.ego_masks import read_ego_mask
from tests.geometry.test_static_pixels import street, with_bonnet
from tests.tools.run import run_tool


@pytest.fixture
def video(tmp_path):
    for camera, change in (('front', with_bonnet), ('rear', lambda x: x)):
        for drive in range(2):
            folder = tmp_path / f'video/{drive}/{camera}'
            folder.mkdir(parents=True)
            for index, image in enumerate(street(15, seed=drive)):
                Image.fromarray(change(image)).save(folder / f'{index}.png')
    return tmp_path / 'video'


def test_masks_and_previews(video, tmp_path, capsys):
    assert run_tool('make_ego_masks.py', video, tmp_path / 'masks', '--images', 20) is None
    output = capsys.readouterr().out
    front, rear = (
        read_ego_mask(tmp_path / f'masks/{x}.png', (200, 120)) for x in ('front', 'rear')
    )
    assert 0.1 < front.mean() < 0.2 and not rear.any()
    assert f'front: {front.mean():.1%}' in output and 'rear: 0.0% of the image: no body' in output
    preview = np.asarray(Image.open(tmp_path / 'masks/preview/front.jpg')).astype(int)
    assert (preview[115, 100] - preview[10, 100]).argmax() == 0  # red
    error = run_tool('make_ego_masks.py', tmp_path / 'none', tmp_path / 'masks')
    assert 'does not exist' in error
