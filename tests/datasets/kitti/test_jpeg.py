import os
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from hybrid_depth.datasets.kitti.jpeg import convert_to_jpeg
from hybrid_depth.errors import DepthDataError
from tests.datasets import kitti_files


def test_convert_resume_and_remove(tmp_path):
    kitti_files.write_raw_tree(tmp_path, range(3), sides='l')
    folder = tmp_path / kitti_files.DRIVE / 'image_02' / 'data'
    assert convert_to_jpeg(tmp_path) == (3, 0)
    (folder / '0000000001.jpg').unlink()
    assert convert_to_jpeg(tmp_path) == (1, 2)
    with Image.open(folder / '0000000000.jpg') as image:
        assert JpegImagePlugin.get_sampling(image) == 2  # 4:2:0
        assert image.quantization[0][0] == 3  # quality 92: round(16 * (200 - 2 * 92) / 100)
        grey = [np.asarray(one.convert('L'), float) for one in (image, kitti_files.image(0))]
        assert np.abs(grey[0] - grey[1]).mean() < 3
    assert convert_to_jpeg(tmp_path, remove=True) == (0, 3)
    assert sorted({path.suffix for path in folder.iterdir()}) == ['.jpg']
    # a run killed after its last image could not be repeated
    assert convert_to_jpeg(tmp_path, remove=True) == (0, 3)
    with pytest.raises(DepthDataError, match='got none'):
        convert_to_jpeg(folder)


def test_damaged_images_are_named_and_kept(tmp_path):
    kitti_files.write_raw_tree(tmp_path, range(2), sides='l')
    path = tmp_path / kitti_files.DRIVE / 'image_02' / 'data' / '0000000001.png'
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DepthDataError, match='0000000001.png.*damaged'):
        convert_to_jpeg(tmp_path, remove=True)
    assert path.is_file() and not path.with_suffix('.jpg').exists()


def encoded(size=kitti_files.SIZE, kind='JPEG', **options) -> bytes:
    buffer = BytesIO()
    kitti_files.image(0, size=size).save(buffer, kind, **options)
    return buffer.getvalue()


# What lies beside a good PNG under the name of its JPEG, and is no copy of it.
BROKEN = {
    'nothing in it': b'',
    'one byte': b'\xff',
    'head alone': encoded()[:200],
    'half': encoded()[: len(encoded()) // 2],
    'the end cut': encoded()[:-40],
    'zeros': bytes(5000),
    'zeros after the head': encoded()[:700] + bytes(3000),
    'text': b'404 Not Found',
    'the PNG itself': encoded(kind='PNG'),
    'a WebP': encoded(kind='WEBP'),
}
OTHERS = {
    'smaller': encoded((62, 19)),
    'larger': encoded((248, 76)),
    'turned': encoded(kitti_files.SIZE[::-1]),
    'a line less': encoded((124, 37)),
}
ALIKE = {
    'black': Image.new('RGB', kitti_files.SIZE),
    'of another frame': kitti_files.image(9),
    'upside down': kitti_files.image(0).rotate(180),
    'half': Image.composite(
        kitti_files.image(0),
        Image.new('RGB', kitti_files.SIZE, 'grey'),
        Image.linear_gradient('L').resize(kitti_files.SIZE).point(lambda v: 255 * (v < 128)),
    ),
}


@pytest.fixture
def png(tmp_path):
    kitti_files.write_raw_tree(tmp_path, [0], sides='l')
    (path,) = tmp_path.rglob('*.png')
    return path


@pytest.mark.parametrize('remove', [False, True])
@pytest.mark.parametrize('name', BROKEN)
def test_a_broken_jpeg_is_written_again(tmp_path, png, name, remove):
    """It was taken for done, and the good PNG beside it deleted."""
    target = png.with_suffix('.jpg')
    target.write_bytes(BROKEN[name])
    assert convert_to_jpeg(tmp_path, remove) == (1, 0)
    with Image.open(target) as image:
        image.load()
        assert (image.format, image.size) == ('JPEG', kitti_files.SIZE)
    assert png.exists() != remove


@pytest.mark.parametrize('name', OTHERS)
def test_another_image_is_left_and_the_png_too(tmp_path, png, name):
    target = png.with_suffix('.jpg')
    target.write_bytes(OTHERS[name])
    before = png.read_bytes()
    for remove in (False, True):
        with pytest.raises(DepthDataError, match='0.jpg: expected the image of.*both are kept'):
            convert_to_jpeg(tmp_path, remove)
    assert target.read_bytes() == OTHERS[name] and png.read_bytes() == before


@pytest.mark.parametrize('name', ALIKE)
def test_another_image_of_the_size_does_not_cost_the_png(tmp_path, png, name):
    ALIKE[name].save(png.with_suffix('.jpg'), quality=92)
    before = png.read_bytes()
    with pytest.raises(DepthDataError, match='0.jpg: expected the image of.*both are kept'):
        convert_to_jpeg(tmp_path, remove=True)
    assert png.read_bytes() == before


@pytest.mark.parametrize('kind', ['RGB', 'L', 'P', 'RGBA', 'I;16'])
def test_a_copy_of_any_image_counts(tmp_path, png, kind):
    """Noise loses most in a JPEG."""
    noise = np.random.default_rng(0).integers(0, 256, (*kitti_files.SIZE[::-1], 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    if kind == 'I;16':
        image = Image.fromarray(noise[..., 0].astype(np.uint16) * 257)
    else:
        image = image.convert(kind)
    image.save(png)
    assert convert_to_jpeg(tmp_path, remove=True) == (1, 0)
    assert not png.exists()


def test_a_link_to_the_png_is_no_copy(tmp_path, png):
    target = png.with_suffix('.jpg')
    for link in (os.symlink, os.link):
        link(png, target)
        assert convert_to_jpeg(tmp_path) == (1, 0)
        target.unlink()
    target.symlink_to(png)
    assert convert_to_jpeg(tmp_path, remove=True) == (1, 0)
    assert not target.is_symlink() and not png.exists()


def test_a_folder_of_that_name_is_an_error(tmp_path, png):
    png.with_suffix('.jpg').mkdir()
    with pytest.raises(DepthDataError, match='got a folder'):
        convert_to_jpeg(tmp_path, remove=True)
    assert png.exists()


def test_a_jpeg_that_does_not_read_back_leaves_the_png(tmp_path, png, monkeypatch):
    save = Image.Image.save

    def half(self, file, *args, **kwargs):
        save(self, file, *args, **kwargs)
        file.truncate(500)

    monkeypatch.setattr(Image.Image, 'save', half)
    with pytest.raises(DepthDataError, match='0.jpg: expected a complete JPEG after writing'):
        convert_to_jpeg(tmp_path, remove=True)
    assert png.exists()
