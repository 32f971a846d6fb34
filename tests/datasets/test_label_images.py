import numpy as np
import pytest
from PIL import Image

from hybrid_depth.datasets.label_images import label_path, read_label_image, write_label_image
from hybrid_depth.errors import DepthDataError


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_values_are_kept(tmp_path, dtype):
    values = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (5, 7), dtype, True)
    write_label_image(values, tmp_path / 'a' / 'b.png')
    read = read_label_image(tmp_path / 'a' / 'b.png', (7, 5))
    np.testing.assert_array_equal(read, values)
    assert read.dtype == dtype


def test_labels_mirror_the_image_tree(tmp_path):
    image = tmp_path / 'root' / 'a' / 'b' / 'c.tar.jpg'
    path = label_path('labels', image, tmp_path / 'root')
    assert path.as_posix() == 'labels/a/b/c.tar.png'
    with pytest.raises(ValueError, match='is not in the subpath'):
        label_path('labels', image, tmp_path / 'other')


def test_bad_files(tmp_path):
    path = tmp_path / 'x.png'
    with pytest.raises(FileNotFoundError, match='label image .*x.png.*mirrors the image tree'):
        read_label_image(path)
    path.write_bytes(b'\x89PNG\r\n\x1a\nno')
    with pytest.raises(DepthDataError, match='x.png: .*damaged file'):
        read_label_image(path)
    Image.new('RGB', (7, 5)).save(path)
    with pytest.raises(DepthDataError, match='grey PNG with one value per pixel, got mode RGB'):
        read_label_image(path)
    Image.new('L', (7, 5)).save(path)
    with pytest.raises(DepthDataError, match='label image of 5 x 7 pixels.*got 7 x 5'):
        read_label_image(path, (5, 7))
