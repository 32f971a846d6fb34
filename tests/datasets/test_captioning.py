import numpy as np
import pytest
from PIL import Image

from hybrid_depth.datasets.captioning import caption_images, find_images
from hybrid_depth.datasets.captions import read_texts
from hybrid_depth.errors import DepthDataError


@pytest.fixture
def root(tmp_path):
    for i in range(5):
        path = tmp_path / f'data/d{i % 2}/{i}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 6, 3), 10 * i, np.uint8)).save(path)
    (tmp_path / 'data/d0/notes.txt').write_text('no image')
    return tmp_path / 'data'


def grey(images):
    return [f'grey {image.getpixel((0, 0))[0]}' for image in images]


def test_every_image_gets_its_caption(root, tmp_path):
    images = find_images(root)
    assert images == ['d0/0.png', 'd0/2.png', 'd0/4.png', 'd1/1.png', 'd1/3.png']
    assert list(caption_images(root, images, grey, tmp_path / 'c.jsonl', batch=2)) == [2, 2, 1]
    expected = {name: [f'grey {10 * int(name[3])}'] for name in images}
    assert read_texts(tmp_path / 'c.jsonl') == expected


def test_an_interrupted_run_goes_on(root, tmp_path, monkeypatch):
    monkeypatch.setattr('hybrid_depth.datasets.captioning._SAVED_EVERY', 2)
    images, out = find_images(root), tmp_path / 'c.jsonl'
    run = caption_images(root, images, grey, out, batch=2)
    next(run), next(run)
    run.close()
    assert len(read_texts(out)) == 4
    asked = []
    list(caption_images(root, images, lambda batch: asked.extend(batch) or grey(batch), out))
    assert len(asked) == 1 and len(read_texts(out)) == 5


def test_a_glob_without_images(root):
    assert find_images(root, 'd1/*') == ['d1/1.png', 'd1/3.png']
    with pytest.raises(DepthDataError, match='got none; give a glob'):
        find_images(root, '*.jpg')
