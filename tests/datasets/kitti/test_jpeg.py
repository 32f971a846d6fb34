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
    with pytest.raises(DepthDataError, match='got none'):
        convert_to_jpeg(tmp_path)


def test_damaged_images_are_named_and_kept(tmp_path):
    kitti_files.write_raw_tree(tmp_path, range(2), sides='l')
    path = tmp_path / kitti_files.DRIVE / 'image_02' / 'data' / '0000000001.png'
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DepthDataError, match='0000000001.png.*damaged'):
        convert_to_jpeg(tmp_path, remove=True)
    assert path.is_file() and not path.with_suffix('.jpg').exists()
