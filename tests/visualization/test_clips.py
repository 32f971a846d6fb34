import cv2
import numpy as np
import pytest
from PIL import Image

from hybrid_depth.visualization.clips import ClipError, clip_writer

COLORS = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]


def frame(color, size=(45, 63)) -> np.ndarray:
    return np.full((*size, 3), color, np.uint8)


def frames_of(path) -> list[np.ndarray]:
    if path.suffix == '.gif':
        with Image.open(path) as gif:
            frames = []
            for index in range(gif.n_frames):
                gif.seek(index)
                frames.append(np.asarray(gif.convert('RGB')))
            return frames
    capture, frames = cv2.VideoCapture(str(path)), []
    while (read := capture.read())[0]:
        frames.append(read[1][..., ::-1])
    return frames


@pytest.mark.parametrize(('name', 'size'), [('a.mp4', (46, 64)), ('a.gif', (45, 63))])
def test_frames_and_colors(tmp_path, name, size):
    """The sides of an MP4 are even."""
    with clip_writer(tmp_path / 'new' / name, 4) as clip:
        for color in COLORS:
            clip.write(frame(color))
    frames = frames_of(tmp_path / 'new' / name)
    assert [f.shape[:2] for f in frames] == [size] * 3
    for read, color in zip(frames, COLORS, strict=True):
        assert np.abs(read.mean((0, 1)) - color).max() < 6
    assert [path.name for path in (tmp_path / 'new').iterdir()] == [name]


def test_frame_rates(tmp_path):
    for name in ('a.mp4', 'a.gif'):
        with clip_writer(tmp_path / name, 4) as clip:
            for color in COLORS:
                clip.write(frame(color))
    assert cv2.VideoCapture(str(tmp_path / 'a.mp4')).get(cv2.CAP_PROP_FPS) == 4
    with Image.open(tmp_path / 'a.gif') as gif:
        assert gif.info['duration'] == 250 and gif.info['loop'] == 0


def test_images_of_other_sizes_are_fitted(tmp_path):
    with clip_writer(tmp_path / 'a.gif', 1) as clip:
        clip.write(frame(COLORS[0], (40, 60)))
        clip.write(frame(COLORS[1], (80, 40)))
    second = frames_of(tmp_path / 'a.gif')[1]
    assert second.shape == (40, 60, 3)
    assert (second[:, :20] == COLORS[1]).all() and (second[:, 21:] == 0).all()


def test_unfinished_clips_leave_what_was_there(tmp_path):
    for name in ('a.mp4', 'a.gif'):
        (tmp_path / name).write_text('older')
        with pytest.raises(KeyError), clip_writer(tmp_path / name, 1) as clip:
            clip.write(frame(COLORS[0]))
            raise KeyError
        with clip_writer(tmp_path / name, 1):
            pass  # no frame, no clip
        assert (tmp_path / name).read_text() == 'older'
    assert len(list(tmp_path.iterdir())) == 2


def test_errors(tmp_path):
    for name, fps in (('a.avi', 1), ('a.mp4', 0)):
        with pytest.raises(ClipError, match='expected a clip in mp4 or gif'):
            with clip_writer(tmp_path / name, fps):
                pass
