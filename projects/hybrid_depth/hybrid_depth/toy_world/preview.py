"""Contact sheet of a toy world: frames with all their ground truth."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from ..datasets.depth_map_files import read_depth_png
from ..datasets.image_files import open_image
from ..datasets.kitti.calibration import KittiCalibration
from ..datasets.kitti.velodyne import read_velodyne
from ..visualization.bev import draw_bev
from ..visualization.boxes import SceneBoxes, project_points
from ..visualization.camera import draw_camera_boxes
from ..visualization.colors import CLASS_COLORS, class_colors
from ..visualization.depth import colorize_depth
from . import kitti_layout as kitti
from . import nuscenes_tables as nuscenes
from . import open_toy_world, rig
from .camera import depth_map
from .rig_layout import SENSORS, drive
from .scene import Boxes
from .tusimple_layout import LABEL_FILES
from .world import KEYFRAME_SECONDS, World

_DEPTH_RANGE = (4.0, 80.0)
_CLASSES = tuple(CLASS_COLORS)
#: Signs of the corners (x, y, z) in the order of `SceneBoxes`.
_CORNERS = np.array([(x, y, z) for x in (-1, 1) for y, z in ((-1, -1), (-1, 1), (1, 1), (1, -1))])


def draw_toy_world(root: str | Path) -> np.ndarray:
    """Contact sheet of a finished toy world of any layout.

    nuScenes: cameras with boxes, their depth, BEV with LiDAR and boxes. KITTI: left and right
    image, dense depth, sweep. TuSimple: images with the labelled points. Own vehicle:
    its images.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        FileNotFoundError: the folder has no toy world.
    """
    layout, world = open_toy_world(root)
    return _SHEETS[layout](Path(root), world)


def _spread(scenes: int, frames: int, count: int) -> list[tuple[int, int]]:
    """Up to ``count`` (scene, frame), evenly spaced."""
    places = (np.arange(count) + 0.5) / count * scenes * frames
    return [divmod(int(place), frames) for place in np.unique(places.astype(int))]


def _block(rows: list[list[np.ndarray]]) -> np.ndarray:
    return np.concatenate([np.concatenate(row, 1) for row in rows])


def _nuscenes_sheet(root: Path, world: World) -> np.ndarray:
    chosen = _spread(world.scenes, world.keyframes, 2)
    return np.concatenate([_nuscenes_frame(root, world, *place) for place in chosen])


def _nuscenes_frame(root: Path, world: World, index: int, frame: int) -> np.ndarray:
    scene, name = world.scene(index), nuscenes.scene_names(world)[index]
    start = frame * KEYFRAME_SECONDS
    ego2world = scene.ego2world(start)
    near = nuscenes.annotated(scene, frame)
    labels = [_CLASSES.index(actor.name) for actor in scene.actors]
    corners = _corners(scene.boxes(start).take(near)) - ego2world[:3, 3]
    boxes = SceneBoxes(corners @ ego2world[:3, :3], np.array(labels)[near])
    images, depths = [], []
    for camera in rig.cameras(world.rig):
        time, cam2img = start + camera.delay * 1e-6, camera.cam2img(world.size)
        cam2world = scene.ego2world(time) @ camera.sensor2ego()
        ego2img = cam2img @ (np.linalg.inv(cam2world) @ ego2world)[:3]
        stamp = nuscenes.timestamp(index, frame, camera.delay)
        image = np.array(open_image(root / nuscenes.file_name(name, camera.channel, stamp)))
        images.append(draw_camera_boxes(image, boxes, ego2img, _CLASSES))
        depth = depth_map(scene, cam2world, cam2img, world.size, time)
        depths.append(colorize_depth(depth, *_DEPTH_RANGE))
    cameras = _block([images[:3], images[3:], depths[:3], depths[3:]])
    path = root / nuscenes.file_name(name, rig.LIDAR.channel, nuscenes.timestamp(index, frame))
    points = np.fromfile(path, np.float32).reshape(-1, 5)[:, :3]
    lidar2ego = rig.LIDAR.sensor2ego()
    points = points @ lidar2ego[:3, :3].T + lidar2ego[:3, 3]
    side = len(cameras)
    above = draw_bev(points, boxes, None, _CLASSES, size=side)[:side]  # without the legend
    return np.concatenate([cameras, above], 1)


def _corners(boxes: Boxes) -> np.ndarray:
    """(A, 8, 3) corners in the world frame."""
    half = boxes.size[:, None, [1, 0, 2]] / 2 * _CORNERS
    cos, sin = np.cos(boxes.yaw)[:, None], np.sin(boxes.yaw)[:, None]
    x, y = half[..., 0] * cos - half[..., 1] * sin, half[..., 0] * sin + half[..., 1] * cos
    return np.stack([x, y, half[..., 2]], -1) + boxes.centre[:, None]


def _kitti_sheet(root: Path, world: World) -> np.ndarray:
    frames = world.keyframes * kitti.KittiLayout.frames_per_keyframe
    chosen = _spread(world.scenes, frames, 6)
    return _block([_kitti_frame(root, world, *place) for place in chosen])


def _kitti_frame(root: Path, world: World, index: int, frame: int) -> list[np.ndarray]:
    folder, name = root / kitti.drive(index), f'{frame:010d}'
    paths = [folder / f'image_{k:02d}' / 'data' / f'{name}.png' for k in (2, 3)]
    left, right = (np.array(open_image(path)) for path in paths)
    depth = read_depth_png(root / kitti.depth_folder(world, index, 'l') / f'{name}.png')
    points = read_velodyne(folder / 'velodyne_points' / 'data' / f'{name}.bin')[:, :3]
    calibration = KittiCalibration.from_folder(root / kitti.DAY)
    pixels, distance = project_points(points, calibration.velo_to_image(2))
    height, width = depth.shape
    u, v = np.round(pixels).astype(int).T
    visible = (distance > 0) & (u >= 0) & (v >= 0) & (u < width) & (v < height)
    order = np.flatnonzero(visible)[np.argsort(-distance[visible])]  # near points on top
    sweep = left // 3
    sweep[v[order], u[order]] = colorize_depth(distance[order], *_DEPTH_RANGE)
    return [left, right, colorize_depth(depth, *_DEPTH_RANGE), sweep]


def _tusimple_sheet(root: Path, world: World) -> np.ndarray:
    lines = [line for file in LABEL_FILES.values() for line in (root / file).open()]
    chosen = _spread(world.scenes, world.keyframes, 6)
    labels = [json.loads(lines[index * world.keyframes + frame]) for index, frame in chosen]
    images = [_draw_lanes(root, label) for label in labels]
    whole = len(images) - len(images) % 2
    return _block([images[i : i + 2] for i in range(0, whole, 2)])


def _draw_lanes(root: Path, label: dict) -> np.ndarray:
    image = np.array(open_image(root / label['raw_file']))
    for lane, color in zip(label['lanes'], class_colors(_CLASSES).tolist(), strict=False):
        points = [p for p in zip(lane, label['h_samples'], strict=True) if p[0] >= 0]
        cv2.polylines(image, [np.array(points)], False, color, 1, cv2.LINE_AA)
        for point in points:
            cv2.circle(image, point, 3, color, 1, cv2.LINE_AA)
    return image


def _rig_sheet(root: Path, world: World) -> np.ndarray:
    rows = []
    for index, frame in _spread(world.scenes, world.keyframes, 4):
        files = [sorted((root / drive(index) / name).iterdir())[frame] for name in SENSORS]
        images = [np.array(open_image(path)) for path in files]
        rows.append([cv2.resize(image, world.size) for image in images])
    return _block(rows)


_SHEETS = {
    'nuscenes': _nuscenes_sheet,
    'kitti': _kitti_sheet,
    'tusimple': _tusimple_sheet,
    'rig': _rig_sheet,
}
