"""Layout of the viewer: a column of cameras, BEV and 3-D scene for every run."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import rerun.blueprint as rrb

from .key_frames import Camera, KeyFrame, in_display_order
from .recording import TIME_LINE, TRUTH, camera_path, depth_path

_REACH = 52.0  # metres of the BEV around the vehicle
_COLUMNS = 3
_KEY_FRAMES_PER_SECOND = 2.0


def make_layout(frame: KeyFrame, runs: Sequence[str], with_depth: Sequence[str]) -> rrb.Blueprint:
    """Blueprint of the viewer.

    Args:
        frame: a key frame, whose cameras are shown.
        runs: names of the runs, side by side; none for the data alone.
        with_depth: those that predict depth.
    """
    cameras = in_display_order(frame.cameras)
    columns = [_column(run, cameras, run in with_depth) for run in runs]
    return rrb.Blueprint(
        rrb.Horizontal(*(columns or [_column(TRUTH, cameras, False)])),
        rrb.SelectionPanel(state='collapsed'),
        _time_panel(),
    )


def _time_panel() -> rrb.TimePanel:
    """Time line that begins at the first key frame and plays as nuScenes was recorded."""
    options = dict(timeline=TIME_LINE, play_state='paused', fps=_KEY_FRAMES_PER_SECOND)
    known = inspect.signature(rrb.TimePanel).parameters  # Rerun 0.23 has none of them
    return rrb.TimePanel(state='collapsed', **{k: v for k, v in options.items() if k in known})


def _column(run: str, cameras: Sequence[Camera], with_depth: bool) -> rrb.Vertical:
    boxes = f'/world/{run}/**'
    views = [_camera_view(camera, ['$origin/**', boxes]) for camera in cameras]
    images = rrb.Grid(*views, grid_columns=_COLUMNS, name='cameras')
    if with_depth:
        maps = [rrb.Spatial2DView(origin=depth_path(run, c.name), name=c.name) for c in cameras]
        images = rrb.Tabs(images, rrb.Grid(*maps, grid_columns=_COLUMNS, name='depth'))
    truth = [] if run == TRUTH else [f'/world/{TRUTH}/**']
    scene = rrb.Spatial3DView(
        origin='world/ego',
        contents=[
            'world/ego/lidar',
            'world/ego/cameras/**',
            f'world/ego/depth/{run}/**',
            boxes,
            *truth,
        ],
        name=f'{run}: scene',
    )
    corner = [-_REACH, _REACH]
    bev = rrb.Spatial2DView(
        origin='bev',
        contents=['bev/lidar', 'bev/ego', f'bev/{TRUTH}/**', f'bev/{run}/**'],
        name=f'{run}: BEV',
        visual_bounds=rrb.VisualBounds2D(x_range=corner, y_range=corner),
    )
    return rrb.Vertical(images, rrb.Horizontal(bev, scene), row_shares=[2, 3], name=run)


def _camera_view(camera: Camera, contents: Sequence[str]) -> rrb.Spatial2DView:
    """View of a whole image; boxes beside it would make it smaller."""
    width, height = camera.size()
    return rrb.Spatial2DView(
        origin=camera_path(camera.name),
        contents=list(contents),
        name=camera.name,
        visual_bounds=rrb.VisualBounds2D(x_range=[0, width], y_range=[0, height]),
    )
