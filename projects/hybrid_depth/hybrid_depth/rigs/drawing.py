"""Images of a check: what the calibration of a vehicle maps into every camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import DepthDataError
from ..files import file_name
from ..visualization.boxes import CORNER_SIGNS, SceneBoxes
from ..visualization.calibration import draw_calibration
from ..visualization.png import write_png
from ..visualization.rig import (
    camera_colors,
    draw_border,
    draw_from_above,
    draw_ground_grid,
    image_border,
)
from .check import border_headings, mounting_angles
from .views import RigData, Sample


def write_drawings(
    infos: str | Path, out: str | Path, root: str | Path | None = None, index: int = 0
) -> list[Path]:
    """Write `<out>/<camera>.png` of one sample for every camera, and `from_above.png`.

    Args:
        infos, root: see `RigData`.
        out: output folder.
        index: sample.

    Raises:
        DepthDataError: no such sample.
        FileNotFoundError: an image is missing.
    """
    data = RigData(infos, root)
    if index >= len(data):
        raise DepthDataError(f'expected a sample of 0 to {len(data) - 1} in {infos}, got {index}')
    sample, written = data.sample(index), []
    points = sample.points()
    for place, name in enumerate(data.cameras):
        path = Path(out, f'{file_name(name)}.png')
        write_png(draw_camera(sample, place, points, data.classes), path)
        written.append(path)
    above = draw_from_above(
        data.cameras,
        [view.cam2ego for view in sample.views],
        [border_headings(view) for view in sample.views],
    )
    write_png(above, Path(out, 'from_above.png'))
    return [*written, Path(out, 'from_above.png')]


def draw_camera(
    sample: Sample, camera: int, points: np.ndarray | None, classes: Sequence[str]
) -> np.ndarray:
    """One camera's image with ground grid, vehicle axes, horizon, the borders of the other cameras'
    images, boxes and LiDAR points, (H, W, 3) uint8 RGB."""
    view = sample.views[camera]
    canvas = np.ascontiguousarray(view.image())
    draw_ground_grid(canvas, view.ego2img)
    colors = camera_colors(len(sample.views))
    for place, other in enumerate(sample.views):
        if place != camera:
            border = image_border(other.size, other.cam2img, other.cam2ego)
            draw_border(canvas, border, view.ego2img, other.name, colors[place])
    known = sample.labels >= 0
    scene = SceneBoxes(box_corners(sample.boxes[known]), sample.labels[known])
    heading, pitch, _ = mounting_angles(view)
    title = (
        f'{view.name}   height {view.cam2ego[2, 3]:.2f} m   pitch {pitch:.1f} down   heading '
        f'{heading:.0f} left'
    )
    return draw_calibration(canvas, scene, points, view.ego2img, classes, title)


def box_corners(boxes: np.ndarray) -> np.ndarray:
    """(M, 8, 3) corners of boxes (M, 7) in the order of `SceneBoxes`."""
    offset = CORNER_SIGNS * boxes[:, None, 3:6] / 2
    cos, sin = np.cos(boxes[:, 6:]), np.sin(boxes[:, 6:])
    x = cos * offset[..., 0] - sin * offset[..., 1]
    y = sin * offset[..., 0] + cos * offset[..., 1]
    return boxes[:, None, :3] + np.stack([x, y, offset[..., 2]], -1)
