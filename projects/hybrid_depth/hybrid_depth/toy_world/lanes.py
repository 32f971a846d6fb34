"""Lane labels: image positions of the lane lines."""

from __future__ import annotations

import numpy as np

from .scene import Scene
from .street import LANE_MARKS

ABSENT = -2
#: Range of labelled lines, metres along the street from the camera.
_REACH = (1.0, 70.0)
_STEP = 0.1
#: Smallest visible part of a labelled line; hidden points in between are labelled too.
_LEAST_VISIBLE = 0.25
#: Relative depth tolerance of the occlusion test.
_TOLERANCE = 0.05


def lane_lines() -> np.ndarray:
    """(L,) offsets of the lane lines, left to right, metres; a double line counts once."""
    offsets = sorted({mark.d for mark in LANE_MARKS}, reverse=True)
    lines: list[float] = []
    for d in offsets:
        if lines and lines[-1] - d < 1.0:
            lines[-1] = (lines[-1] + d) / 2
        else:
            lines.append(d)
    return np.array(lines)


def label_lanes(
    scene: Scene, cam2world: np.ndarray, cam2img: np.ndarray, depth: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Lane labels as of human annotators: from the nearest to the farthest visible point of a line,
    also between dashes and behind cars.

    Args:
        scene: the scene.
        cam2world: (4, 4) camera (x right, y down, z forward) to world.
        cam2img: (3, 3) intrinsics, integer coordinates are pixel centres.
        depth: (H, W) of the image, metres.
        rows: (R,) rows at which lines are labelled, ascending.

    Returns:
        (L, R) int columns of the visible lines, left to right, ``ABSENT`` where a line has no
        point at a row.
    """
    lanes = [_line_at_rows(scene, d, cam2world, cam2img, rows) for d in lane_lines()]
    labels = [_label(columns, distance, depth, rows) for columns, distance in lanes]
    found = [label for label in labels if (label != ABSENT).sum() > 1]
    return np.array(found, int).reshape(-1, len(rows))


def _line_at_rows(
    scene: Scene, d: float, cam2world: np.ndarray, cam2img: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(R,) column and depth of a line at the rows, NaN where it does not cross them."""
    start = scene.street.locate(cam2world[:1, 3], cam2world[1:2, 3])[0][0]
    s = start + np.arange(*_REACH, _STEP)
    xy, _ = scene.street.pose(s, d)
    world = np.column_stack([xy, np.zeros(len(s))])
    x, y, z = cam2world[:3, :3].T @ (world - cam2world[:3, 3]).T
    # In a bend a line may cross a row twice: keep the nearer part. Its start may lie beside or
    # behind the camera.
    first = int(np.argmax(z > 0.5))
    rising = np.flatnonzero(np.diff(z[first:]) <= 0)
    kept = slice(first, first + 1 + (rising[0] if len(rising) else len(z)))
    u = cam2img[0, 0] * x[kept] / z[kept] + cam2img[0, 2]
    v = cam2img[1, 1] * y[kept] / z[kept] + cam2img[1, 2]
    order = slice(None, None, -1)  # rows increase towards the camera
    columns, distance = (
        np.interp(rows, v[order], values[order], left=np.nan, right=np.nan)
        for values in (u, z[kept])
    )
    return columns, distance


def _label(
    columns: np.ndarray, distance: np.ndarray, depth: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """(R,) int columns of one line, ``ABSENT`` where it is not labelled."""
    width = depth.shape[1]
    with np.errstate(invalid='ignore'):
        inside = (columns >= 0) & (columns <= width - 1)
    pixels = np.where(inside, np.round(np.nan_to_num(columns)), 0).astype(int)
    visible = inside & (depth[rows, pixels] > np.nan_to_num(distance) * (1 - _TOLERANCE))
    label = np.full(len(rows), ABSENT)
    if visible.sum() < max(_LEAST_VISIBLE * inside.sum(), 1):
        return label
    first, last = np.flatnonzero(visible)[[0, -1]]
    labelled = inside.copy()
    labelled[:first] = labelled[last + 1 :] = False
    label[labelled] = pixels[labelled]
    return label
