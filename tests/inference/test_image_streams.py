import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from hybrid_depth.errors import DepthDataError
from hybrid_depth.inference.image_streams import ImageStream


def save(path, value=0, size=(12, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', size, (value, 0, 0)).save(path)
    return path


def write_video(path, frames=5, size=(32, 16)):
    """Video with increasing red; OpenCV writes BGR."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, size)
    for i in range(frames):
        writer.write(np.full((size[1], size[0], 3), (0, 0, 40 * i), np.uint8))
    writer.release()
    return path


def red(item):
    return np.asarray(item.image)[0, 0, 0]


def test_a_folder_in_natural_order(tmp_path):
    for i in (10, 9, 2):
        save(tmp_path / f'{i}.png', i)
    (tmp_path / 'notes.txt').write_text('no image')
    stream = ImageStream(tmp_path)
    assert stream.total == 3
    assert [(item.name, red(item)) for item in stream] == [('2', 2), ('9', 9), ('10', 10)]


def test_endings_may_be_in_capitals(tmp_path):
    path = save(tmp_path / 'a.PNG', 7)
    for source in (path, tmp_path):
        assert [red(item) for item in ImageStream(source)] == [7]


def test_names_are_unique_across_folders(tmp_path):
    paths = [save(tmp_path / side / 'a.png') for side in ('left', 'right')]
    assert [item.name for item in ImageStream(paths)] == ['a', 'a_2']


def test_video_frames_are_rgb_and_in_order(tmp_path):
    stream = ImageStream(write_video(tmp_path / 'drive.avi'))
    items = list(stream)
    assert stream.total == len(items) == 5
    assert [item.name for item in items] == [f'drive_{i:06d}' for i in range(5)]
    assert all(abs(int(red(item)) - 40 * i) < 8 for i, item in enumerate(items))
    assert np.asarray(items[4].image)[..., 2].max() < 30  # blue


def test_arrays_and_tensors(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    tensor = torch.from_numpy(array).permute(2, 0, 1) / 255.0
    mixed = [
        array,
        array / 255.0,
        tensor,
        tensor[None].repeat(2, 1, 1, 1),
        save(tmp_path / 'b.png'),
    ]
    items = list(ImageStream(mixed))
    assert [item.name for item in items] == ['array', *(f'array_{i}' for i in range(2, 6)), 'b']
    for item in items[:-1]:
        np.testing.assert_array_equal(np.asarray(item.image), array)


def test_floats_are_rounded_to_the_nearest_level():
    (item,) = ImageStream(np.full((2, 3, 3), 99.6 / 255))
    assert (np.asarray(item.image) == 100).all()


@pytest.mark.parametrize(
    ('images', 'says'),
    [
        (3, 'got int'),
        (np.zeros((8, 12)), r'got shape \(8, 12\)'),
        (np.full((8, 12, 3), 200.0), 'between 200.0'),
        (np.full((8, 12, 3), np.nan), 'between nan'),
    ],
)
def test_invalid_images_are_named(images, says):
    with pytest.raises(DepthDataError, match=says):
        ImageStream(images)


def test_paths_that_are_not_images(tmp_path):
    with pytest.raises(FileNotFoundError, match='absent.png'):
        ImageStream(tmp_path / 'absent.png')
    with pytest.raises(DepthDataError, match='folder .*, got none'):
        ImageStream(tmp_path)
    (tmp_path / 'a.txt').write_text('text')
    with pytest.raises(DepthDataError, match='a.txt'):
        ImageStream(tmp_path / 'a.txt')
    (tmp_path / 'a.mp4').write_bytes(b'no video')
    with pytest.raises(DepthDataError, match='OpenCV cannot decode'):
        ImageStream(tmp_path / 'a.mp4')
    (tmp_path / 'cut.png').write_bytes(save(tmp_path / 'whole.png').read_bytes()[:40])
    with pytest.raises(DepthDataError, match='cut.png'):
        list(ImageStream(tmp_path / 'cut.png'))
