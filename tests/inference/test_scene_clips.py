import numpy as np
import pytest

from hybrid_depth.inference.scene_clips import SceneClips, shrunk
from tests.visualization.test_clips import COLORS, frame, frames_of


def test_one_clip_per_scene(tmp_path):
    with SceneClips(tmp_path, 'gif', 2) as clips:
        for scene, color in zip(('a', 'a', '../b'), COLORS, strict=True):
            clips.write(scene, frame(color))
    assert [len(frames_of(path)) for path in clips.files] == [2, 1]
    assert {path.parent for path in tmp_path.rglob('*.gif')} == {tmp_path}


def test_an_error_keeps_finished_clips_only(tmp_path):
    with pytest.raises(KeyError), SceneClips(tmp_path, 'mp4', 2) as clips:
        clips.write('a', frame(COLORS[0]))
        clips.write('b', frame(COLORS[0]))
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ['a.mp4']


def test_wide_frames_are_shrunk():
    assert shrunk(np.zeros((100, 400, 3), np.uint8), 200).shape == (50, 200, 3)
    assert shrunk(np.zeros((100, 150, 3), np.uint8), 200).shape == (100, 150, 3)
