import numpy as np

from hybrid_depth.inference.depth import DepthResult
from hybrid_depth.inference.depth_clip import depth_clip
from hybrid_depth.visualization import colorize_depth
from tests.visualization.test_clips import frames_of

SIZE = (40, 320)


def result(depth: float, size=SIZE) -> DepthResult:
    image = np.full((*size, 3), 77, np.uint8)
    return DepthResult('a', image, np.full(size, 1 / depth, np.float32), 1.0)


def test_one_color_range_for_all_images(tmp_path):
    """The same depth has the same colour in every frame, unlike with a range per image."""
    depths = (5.0, 10.0, 20.0, 10.0)
    with depth_clip(tmp_path / 'a.gif', 5) as clip:
        for depth in depths:
            clip.add(result(depth))
        assert clip.range() == (5, 20)
    frames = frames_of(tmp_path / 'a.gif')
    for frame, depth in zip(frames, depths, strict=True):
        assert (frame[:40] == 77).all()
        expected = colorize_depth(np.array(depth), 5.0, 20.0).astype(int)
        assert np.abs(frame[60, 160] - expected).max() < 8  # of 256 colours
    assert np.array_equal(frames[1][:80], frames[3][:80])
    assert not np.array_equal(frames[0][:80], frames[1][:80])


def test_given_range_and_large_images(tmp_path):
    with depth_clip(tmp_path / 'a.gif', 5, (2.0, 50.0)) as clip:
        clip.add(result(10.0, (100, 1920)))
    (frame,) = frames_of(tmp_path / 'a.gif')
    assert frame.shape[1] == 960
    expected = colorize_depth(np.array(10.0), 2.0, 50.0).astype(int)
    assert np.abs(frame[75, 480] - expected).max() < 8
