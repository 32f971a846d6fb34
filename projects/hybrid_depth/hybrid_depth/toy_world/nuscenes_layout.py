"""nuScenes layout: the toy world as a nuScenes ``v1.0-mini`` root.

Beside it, ``semantic``, ``instance`` and ``moving`` hold label images (`datasets.label_images`),
``depth`` the true depth of every pixel (16-bit PNGs that mirror the images, 0 for the sky) and
``captions.jsonl`` true captions (`datasets.captions`).
"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ..datasets.depth_map_files import write_depth_png
from ..datasets.label_images import label_path
from . import rig
from .camera import labelled_depth, render_view
from .captions import caption, write_captions
from .lidar import sweep
from .nuscenes_tables import (
    MINI_TRAIN,
    MINI_VAL,
    SceneTables,
    annotated,
    file_name,
    scene_names,
    shared_tables,
    sweep_times,
    timestamp,
)
from .scene import Scene
from .street import ROAD_EDGE
from .world import KEYFRAME_SECONDS, World

VERSION = 'v1.0-mini'
#: Folder of the true depth maps.
DEPTH = 'depth'
_JPEG_QUALITY = 92
_MAP_METRES = 0.1


class NuScenesLayout:
    """One task per keyframe: six cameras and one sweep."""

    default_size = (400, 225)
    frames_per_keyframe = 1

    @staticmethod
    def check(world: World) -> None:
        """Rejects more scenes than the devkit's mini splits have names for.

        Raises:
            ValueError: more than 10 scenes.
        """
        limit = len(MINI_TRAIN) + len(MINI_VAL)
        if world.scenes > limit:
            raise ValueError(
                f'nuScenes layout: expected at most {limit} scenes, got {world.scenes}. The devkit '
                f'has {len(MINI_TRAIN)} mini_train and {len(MINI_VAL)} mini_val scene names; '
                'for more data increase the number of keyframes'
            )

    @staticmethod
    def render(root: Path, world: World, index: int, frame: int) -> tuple:
        """Writes one keyframe and the images until the next.

        Returns:
            Number of LiDAR points (A,) and visible share (A,) of every actor in the keyframe;
            captions of the images.
        """
        captions = {}
        scene, name = world.scene(index), scene_names(world)[index]
        covered = visible = np.zeros(len(scene.actors), np.int64)
        for camera, sweep_time in product(rig.cameras(world.rig), sweep_times(world.sweeps)):
            if sweep_time and frame == world.keyframes - 1:
                continue
            delay = sweep_time + camera.delay
            time = frame * KEYFRAME_SECONDS + delay * 1e-6
            view = (scene.ego2world(time) @ camera.sensor2ego(), camera.cam2img(world.size))
            rendered = render_view(scene, *view, world.size, time)
            if not sweep_time:
                covered, visible = covered + rendered.covered, visible + rendered.visible
            stamp = timestamp(index, frame, delay)
            path = root / file_name(name, camera.channel, stamp, keyframe=not sweep_time)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rendered.image).save(path, quality=_JPEG_QUALITY)
            depth, labels = labelled_depth(scene, *view, world.size, time)
            labels.write(root, path)
            write_depth_png(depth, label_path(root / DEPTH, path, root))
            captions[path.relative_to(root).as_posix()] = caption(scene, labels)
        path = root / file_name(name, rig.LIDAR.channel, timestamp(index, frame))
        path.parent.mkdir(parents=True, exist_ok=True)
        points = _write_sweep(path, scene, frame)
        return (points, visible / np.maximum(covered, 1)), captions

    @staticmethod
    def finish(root: Path, world: World, results: list[list]) -> None:
        """Writes tables, maps and captions.

        Args:
            root: folder of the data set.
            world: parameters of the toy world.
            results: values of :meth:`render`, by scene and keyframe.
        """
        tables = shared_tables(world)
        (root / 'maps').mkdir()
        captions = {}
        for index, (name, frames) in enumerate(zip(scene_names(world), results, strict=True)):
            scene, counts = world.scene(index), [counts for counts, _ in frames]
            for _, of_frame in frames:
                captions.update(of_frame)
            rows = SceneTables(world, index, name, scene, counts)
            _write_map(root / rows.map_file, scene)
            for table, more in rows.tables().items():
                tables.setdefault(table, []).extend(more)
        write_captions(root, captions)
        (root / VERSION).mkdir()
        for table, rows in tables.items():
            (root / VERSION / f'{table}.json').write_text(json.dumps(rows, indent=0))


def _write_sweep(path: Path, scene: Scene, frame: int) -> np.ndarray:
    """Writes the sweep of a keyframe: x, y, z, intensity (0 to 255), ring as float32.

    Returns:
        (A,) number of points in the box of every annotated actor, 0 for the others.
    """
    time = frame * KEYFRAME_SECONDS
    lidar2world = scene.ego2world(time) @ rig.LIDAR.sensor2ego()
    points, ring = sweep(
        scene, lidar2world, time, rig.LIDAR_ELEVATIONS, rig.LIDAR_AZIMUTH_STEPS, rig.LIDAR_RANGE
    )
    points[:, 3] = np.round(points[:, 3] * 255)
    np.concatenate([points, ring[:, None].astype(np.float32)], 1).tofile(path)
    world = (
        np.einsum('ij,nj->ni', lidar2world[:3, :3], points[:, :3].astype(np.float64))
        + lidar2world[:3, 3]
    )
    near = annotated(scene, frame)
    counts = np.zeros(len(near), np.int64)
    counts[near] = scene.boxes(time).take(near).count_inside(world)
    return counts


def _write_map(path: Path, scene: Scene) -> None:
    """Writes the devkit's map mask: road in white, 0.1 m per pixel, row 0 at the largest y."""
    street = scene.street
    width, height = np.ceil(street.size / _MAP_METRES).astype(int)
    left, _ = street.pose(street.s, ROAD_EDGE)
    right, _ = street.pose(street.s, -ROAD_EDGE)
    outline = np.concatenate([left, right[::-1]]) / _MAP_METRES
    outline[:, 1] = height - outline[:, 1]
    mask = Image.new('L', (int(width), int(height)))
    ImageDraw.Draw(mask).polygon([tuple(p) for p in outline], fill=255)
    mask.save(path)
