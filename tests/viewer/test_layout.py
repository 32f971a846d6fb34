"""Layout of the viewer: its views show entities that are written."""

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('rerun')
import rerun.blueprint as rrb  # noqa: E402

from hybrid_depth.viewer.key_frames import Camera, KeyFrame  # noqa: E402
from hybrid_depth.viewer.layout import make_layout  # noqa: E402
from hybrid_depth.viewer.recording import camera_path, depth_path  # noqa: E402

CAMERAS = ['CAM_BACK', 'CAM_FRONT', 'SIDE', 'CAM_FRONT_LEFT']


@pytest.fixture
def frame(tmp_path) -> KeyFrame:
    path = tmp_path / 'image.png'
    Image.new('RGB', (64, 36)).save(path)
    cameras = [Camera(name, path, np.eye(3), np.eye(4)) for name in CAMERAS]
    return KeyFrame('t', 's', 0.0, cameras, np.eye(4), np.eye(4), None, 5)


def views(node) -> list:
    if isinstance(node, rrb.View):
        return [node]
    return [view for child in node.contents for view in views(child)]


def test_a_column_for_every_run(frame):
    layout = make_layout(frame, ['a', 'b'], ['b'])
    first, second = layout.root_container.contents
    assert (first.name, second.name) == ('a', 'b')
    names = [view.name for view in views(first)]
    assert names[:4] == ['CAM_FRONT_LEFT', 'CAM_FRONT', 'CAM_BACK', 'SIDE']
    assert names[4:] == ['a: BEV', 'a: scene']
    bounds = views(first)[0].properties['VisualBounds2D'].range.as_arrow_array().to_pylist()
    assert bounds == [{'x_range': [0, 64], 'y_range': [0, 36]}]
    origins = [view.origin for view in views(second)]
    assert origins[:4] == [camera_path(name) for name in names[:4]]
    assert origins[4:8] == [depth_path('b', name) for name in names[:4]]
    contents = {item for view in views(first) for item in view.contents}
    assert {'/world/a/**', 'bev/a/**'} < contents and not any('b/' in c[6:8] for c in contents)


def test_without_runs_the_ground_truth_is_shown(frame):
    [column] = make_layout(frame, [], []).root_container.contents
    assert {'/world/ground_truth/**', 'bev/ground_truth/**'} < {
        item for view in views(column) for item in view.contents
    }


def test_the_time_line_begins_at_the_first_key_frame_and_plays_two_a_second(frame):
    panel = make_layout(frame, [], []).time_panel
    if not hasattr(panel, 'fps'):
        pytest.skip('this Rerun has no speed of the time line')
    assert panel.fps == 2 and panel.play_state == 'paused' and panel.timeline == 'key_frame'
