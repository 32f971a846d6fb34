"""Visualization of a sample in one image: boxes and depth per camera, and BEV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from ..geometry import CameraRig
from .bev import Trail, draw_bev, legend_height
from .boxes import SceneBoxes, project_points
from .camera import draw_camera_boxes
from .colors import BACKGROUND, FAINT_TEXT, TEXT
from .depth import colorize_depth, depth_color_bar
from .panels import grid, stack
from .strokes import Text, draw_texts

_MOST_COLUMNS = 4
_HEADER = 64
_DOT_SHADE = (24, 24, 24)
_LABEL_BACKGROUND = (0, 0, 0, 150)


@dataclass(frozen=True)
class BEVScene:
    """Content of one sheet: images, boxes, points and depth of a sample.

    Args:
        images: N full-size camera images (H, W, 3) uint8 RGB.
        cam_names: N names.
        rig: calibration, B = 1; ``img_aug`` maps full-size pixels to network pixels.
        predicted: boxes in the ego frame, with scores.
        true: ground-truth boxes in the ego frame, or None if unknown.
        points: (P, 3) LiDAR points, ego frame, or None.
        depth: (N, h, w) predicted depth over the network image, metres, or None.
        network_size: (H, W) of the network image; needed with ``depth``.
        title: one line of text, such as sample and scene.
        trails: tracked objects.

    Raises:
        ValueError: numbers of cameras differ, or ``depth`` comes without ``network_size``.
    """

    images: Sequence[np.ndarray]
    cam_names: Sequence[str]
    rig: CameraRig
    predicted: SceneBoxes
    true: SceneBoxes | None = None
    points: np.ndarray | None = None
    depth: np.ndarray | None = None
    network_size: tuple[int, int] | None = None
    title: str = ''
    trails: Sequence[Trail] = ()

    def __post_init__(self):
        counts = dict(images=len(self.images), cam_names=len(self.cam_names))
        counts['rig'] = self.rig.num_cams
        if self.depth is not None:
            counts['depth'] = len(self.depth)
            if self.network_size is None:
                raise ValueError('BEVScene: expected network_size (H, W) together with depth')
        if len(set(counts.values())) != 1:
            raise ValueError(f'BEVScene: expected one entry per camera in each, got {counts}')


def make_sheet(
    scene: BEVScene,
    class_names: Sequence[str],
    score_thr: float = 0.3,
    camera_width: int = 480,
    reach: float = 51.2,
    depth_range: tuple[float, float] = (4.0, 60.0),
) -> np.ndarray:
    """Sheet of one sample.

    Cameras that look ahead come first, from left to right, then those that look back, as seen from
    above. Where the ground truth is known, predicted boxes are told apart by
    `SceneBoxes.matched`.

    Args:
        scene: content.
        class_names: name of each label.
        score_thr: smallest score of the predicted boxes drawn.
        camera_width: width of one camera panel, pixels.
        reach: range of the BEV around the ego vehicle, metres.
        depth_range: range of the depth colours, metres.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    predicted = scene.predicted.above(score_thr)
    if scene.true is not None:
        predicted = predicted.matched(scene.true)
    scene = replace(scene, predicted=predicted)
    panels = [_fit(image, camera_width) for image in scene.images]
    projections = _panel_projections(scene, panels)
    rows = camera_rows(scene.rig.cam2ego[0].double().numpy())

    boxes = [_box_panel(scene, panels, projections, i, class_names) for i in range(len(panels))]
    parts = [grid(boxes, rows)]
    if scene.depth is not None:
        depth = [
            _depth_panel(scene, panels, projections, i, depth_range) for i in range(len(panels))
        ]
        parts.append(grid(depth, rows))
        title = 'expected depth, metres'
        if scene.points is not None:
            title += ' (dots: LiDAR)'
        parts.append(depth_color_bar(parts[0].shape[1], *depth_range, title))
    cameras = stack(parts)
    side = max(len(cameras) - legend_height(class_names), 2 * camera_width)
    bev = draw_bev(
        scene.points, scene.predicted, scene.true, class_names, reach, side, scene.trails
    )
    body = stack([cameras, bev], axis=1)
    return stack([_header(scene, score_thr, body.shape[1]), body])


def _fit(image: np.ndarray, width: int) -> np.ndarray:
    height = round(image.shape[0] * width / image.shape[1])
    shrinks = width < image.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=interpolation)


def _resize_affine(size: tuple[int, int], new_size: tuple[int, int]) -> np.ndarray:
    """(3, 3) map of pixel coordinates for a resize from (h, w) to (H, W)."""
    (h, w), (height, width) = size, new_size
    sy, sx = height / h, width / w
    return np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2], [0, 0, 1]])


def _panel_affines(scene: BEVScene, panels: Sequence[np.ndarray]) -> np.ndarray:
    """(N, 3, 3) from full-size pixels to panel pixels."""
    return np.stack(
        [
            _resize_affine(image.shape[:2], panel.shape[:2])
            for image, panel in zip(scene.images, panels, strict=True)
        ]
    )


def _panel_projections(scene: BEVScene, panels: Sequence[np.ndarray]) -> np.ndarray:
    """(N, 3, 4) from ego metres to panel pixels."""
    affines = torch.from_numpy(_panel_affines(scene, panels)).to(scene.rig.img_aug)
    return replace(scene.rig, img_aug=affines[None]).ego2img()[0].numpy()


def camera_rows(cam2ego: np.ndarray) -> list[list[int]]:
    """Rows of a grid of cameras: ahead from left to right, then back, at most four per row.

    Args:
        cam2ego: (N, 4, 4) poses.

    Returns:
        Indices of the cameras, row by row.
    """
    x, y = cam2ego[:, 0, 2], cam2ego[:, 1, 2]  # optical axes
    heading = np.arctan2(y, x)
    ahead = np.abs(heading) <= np.pi / 2 + 1e-3
    rows = []
    for chosen, place in ((ahead, -heading), (~ahead, heading % (2 * np.pi))):
        order = [int(i) for i in np.argsort(place, kind='stable') if chosen[i]]
        count = math.ceil(len(order) / _MOST_COLUMNS) or 1
        rows += [part.tolist() for part in np.array_split(order, count) if part.size]
    return rows


def _box_panel(
    scene: BEVScene,
    panels: Sequence[np.ndarray],
    projections: np.ndarray,
    camera: int,
    class_names: Sequence[str],
) -> np.ndarray:
    panel, ego2img = panels[camera], projections[camera]
    if scene.true is not None:
        panel = draw_camera_boxes(panel, scene.true, ego2img, class_names, 'true')
    panel = draw_camera_boxes(panel, scene.predicted, ego2img, class_names)
    return _name(panel, scene.cam_names[camera])


def _depth_panel(
    scene: BEVScene,
    panels: Sequence[np.ndarray],
    projections: np.ndarray,
    camera: int,
    depth_range: tuple[float, float],
) -> np.ndarray:
    """Predicted depth in the network's part of the image; the rest is shown darkened."""
    panel = (panels[camera] * 0.3).astype(np.uint8)
    size = panel.shape[:2]
    full2network = scene.rig.img_aug[0, camera].double().numpy()
    full2panel = _panel_affines(scene, panels)[camera]
    network2panel = full2panel @ np.linalg.inv(full2network)
    depth = np.ascontiguousarray(scene.depth[camera], dtype=np.float32)
    cell2panel = network2panel @ _resize_affine(depth.shape, scene.network_size)
    dense = cv2.warpAffine(depth, cell2panel[:2], size[::-1], borderMode=cv2.BORDER_REPLICATE)

    height, width = scene.network_size
    border = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5
    border = border @ network2panel[:2, :2].T + network2panel[:2, 2]
    visible = cv2.fillConvexPoly(np.zeros(size, np.uint8), np.round(border).astype(np.int32), 1) > 0
    panel[visible] = colorize_depth(dense[visible], *depth_range)
    if scene.points is not None:
        _draw_lidar_depth(panel, scene.points, projections[camera], depth_range)
    return _name(panel, scene.cam_names[camera])


def _draw_lidar_depth(
    panel: np.ndarray, points: np.ndarray, ego2img: np.ndarray, depth_range: tuple[float, float]
) -> None:
    """Draw LiDAR depth as dots in the same colours, which makes prediction errors visible."""
    pixels, depth = project_points(points, ego2img)
    height, width = panel.shape[:2]
    u, v = np.round(pixels.clip(-9, max(height, width) + 9)).astype(int).T
    visible = (depth > 0) & (u >= 1) & (v >= 1) & (u < width - 1) & (v < height - 1)
    # Far points first, so that near ones are on top.
    order = np.flatnonzero(visible)[np.argsort(-depth[visible])]
    u, v = u[order], v[order]
    panel[v + 1, u] = panel[v + 1, u + 1] = _DOT_SHADE
    panel[v, u] = panel[v, u + 1] = colorize_depth(depth[order], *depth_range)


def _name(panel: np.ndarray, cam_name: str) -> np.ndarray:
    caption = cam_name.removeprefix('CAM_').replace('_', ' ').lower()
    draw_texts(panel, [Text(8, 13, caption, 13, TEXT, 'lm', _LABEL_BACKGROUND)])
    return panel


def _header(scene: BEVScene, score_thr: float, width: int) -> np.ndarray:
    header = np.empty((_HEADER, width, 3), dtype=np.uint8)
    header[:] = BACKGROUND
    facts = [f'{len(scene.predicted)} boxes with score ≥ {score_thr:g}']
    if scene.true is not None:
        correct = int(scene.predicted.correct.sum())
        facts.append(f'{correct} correct, {len(scene.predicted) - correct} false')
        facts.append(f'{len(scene.true)} ground-truth boxes')
    draw_texts(
        header,
        [
            Text(12, 22, scene.title, 20),
            Text(12, 48, '   ·   '.join(facts), 15, FAINT_TEXT),
        ],
    )
    return header
