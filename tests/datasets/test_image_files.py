import numpy as np
import pytest
from PIL import Image

from hybrid_depth.datasets.image_files import image_size, open_image
from hybrid_depth.errors import DepthDataError


def test_images_are_rgb(tmp_path):
    Image.new('L', (8, 4), 7).save(tmp_path / 'grey.png')
    assert np.asarray(open_image(tmp_path / 'grey.png'))[3, 7].tolist() == [7, 7, 7]
    assert image_size(tmp_path / 'grey.png') == (8, 4)


@pytest.mark.parametrize('read', [open_image, image_size])
def test_damaged_and_missing_images_are_named(tmp_path, read):
    for content in (b'', b'not an image', b'\x89PNG\r\n\x1a\n'):
        (tmp_path / 'cut.png').write_bytes(content)
        with pytest.raises(DepthDataError, match='cut.png: expected an image, got a damaged file'):
            read(tmp_path / 'cut.png')
    with pytest.raises(FileNotFoundError, match='expected the image .*absent.png'):
        read(tmp_path / 'absent.png')


@pytest.mark.parametrize('error', [OSError, SyntaxError, ValueError])
def test_every_complaint_of_pillow_names_the_file(tmp_path, monkeypatch, error):
    """A PNG with a broken chunk is a SyntaxError or a ValueError to Pillow."""
    Image.new('L', (8, 4)).save(tmp_path / 'a.png')

    def convert(*_):
        raise error('broken chunk')

    monkeypatch.setattr(Image.Image, 'convert', convert)
    with pytest.raises(DepthDataError, match=r'a.png.*\(broken chunk\)'):
        open_image(tmp_path / 'a.png')


@pytest.mark.parametrize(
    ('name', 'size', 'expected'),
    [
        ('a.jpg', (80, 60), (40, 30)),
        ('odd.jpg', (81, 60), (81, 60)),
        ('a.png', (80, 60), (80, 60)),
    ],
)
def test_half_size_is_for_jpeg_of_even_sides(tmp_path, name, size, expected):
    Image.new('RGB', size, 'red').save(tmp_path / name)
    assert open_image(tmp_path / name, half=True).size == expected
    assert open_image(tmp_path / name).size == size
