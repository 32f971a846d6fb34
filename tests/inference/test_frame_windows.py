import numpy as np
import pytest

from hybrid_depth.inference.frame_windows import frame_windows
from hybrid_depth.inference.image_streams import ImageStream


def stream(sizes):
    return ImageStream([np.zeros((2, size, 3), np.uint8) for size in sizes])


@pytest.mark.parametrize('frames', [(0,), (0, -1), (0, -1, 1), (0, -2, -1), (0, 2), (0, -1, 2)])
@pytest.mark.parametrize('length', [1, 2, 5])
def test_every_image_with_its_neighbours(frames, length):
    images = list(stream([4] * length))
    found = list(frame_windows(iter(images), frames))
    assert len(found) == length
    for now, window in enumerate(found):
        expected = {i: images[now + i] for i in frames if 0 <= now + i < length}
        assert window == expected


def test_another_size_is_another_video():
    windows = list(frame_windows(stream([4, 4, 6, 6]), (0, -1)))
    assert [tuple(window) for window in windows] == [(0,), (0, -1), (0,), (0, -1)]


def test_no_more_images_are_read_than_needed():
    read = []

    def counted():
        for item in stream([4] * 6):
            read.append(item)
            yield item

    windows = frame_windows(counted(), (0, -1, 1))
    next(windows)
    assert len(read) == 2
