"""KITTI layout: the toy world as a KITTI raw tree with dense depth.

    2018_07_24/                               calibration files
    2018_07_24/2018_07_24_drive_0001_sync/    image_02, image_03, velodyne_points, oxts
    train|val/<drive>/proj_depth/groundtruth/image_02|image_03/
                                              dense depth of every pixel, as KITTI's annotated depth
    semantic|instance|moving/<day>/<drive>/image_02|image_03/data/
                                              label images, see `datasets.label_images`
    captions.jsonl                            a true caption of every image, see `datasets.captions`
    splits/toy/train_files.txt, val_files.txt frames with both neighbours, one per line

The day is not one of KITTI's, so the tree can share a folder with real drives.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ..datasets.depth_map_files import write_depth_png
from ..datasets.kitti.splits import KittiFrame, write_split
from ..datasets.kitti.splits.split_file import camera_number
from . import kitti_rig, kitti_texts
from .camera import labelled_depth, render_view
from .captions import caption, write_captions
from .lidar import sweep
from .scene import Scene
from .world import KEYFRAME_SECONDS, World

DAY = '2018_07_24'
_SENSORS = ('image_02', 'image_03', 'velodyne_points', 'oxts')
_MOST_SCENES = 9999


class KittiLayout:
    """One task per frame at 10 Hz: two cameras with depth and labels, a sweep, a line of oxts."""

    default_size = (416, 128)
    frames_per_keyframe = round(KEYFRAME_SECONDS / kitti_rig.FRAME_SECONDS)

    @staticmethod
    def check(world: World) -> None:
        """Rejects more scenes than there are drive numbers.

        Raises:
            ValueError: more than 9999 scenes.
        """
        if world.scenes > _MOST_SCENES:
            raise ValueError(
                f'KITTI layout: expected at most {_MOST_SCENES} scenes, got {world.scenes}'
            )

    @staticmethod
    def render(root: Path, world: World, index: int, frame: int) -> dict[str, str]:
        """Writes one frame; returns the captions of its images."""
        captions = {}
        scene, time = world.scene(index), frame * kitti_rig.FRAME_SECONDS
        ego2world, name = scene.ego2world(time), f'{frame:010d}'
        for side in 'lr':
            camera = camera_number(side)
            cam2ego = kitti_rig.cam2ego(camera, world.rig)
            view = (ego2world @ cam2ego, kitti_rig.cam2img(world.size, world.rig))
            rendered = render_view(scene, *view, world.size, time)
            path = root / drive(index) / f'image_{camera:02d}' / 'data' / f'{name}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rendered.image).save(path)
            depth, labels = labelled_depth(scene, *view, world.size, time)
            labels.write(root, path)
            captions[path.relative_to(root).as_posix()] = caption(scene, labels)
            write_depth_png(depth, root / depth_folder(world, index, side) / f'{name}.png')
        path = root / drive(index) / 'velodyne_points' / 'data' / f'{name}.bin'
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(scene, ego2world, time).tofile(path)
        path = root / drive(index) / 'oxts' / 'data' / f'{name}.txt'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(kitti_texts.oxts(scene, time))
        return captions

    @staticmethod
    def finish(root: Path, world: World, results: list[list]) -> None:
        """Writes calibration, time stamps, captions and split lists."""
        write_captions(
            root, {k: v for drives in results for frame in drives for k, v in frame.items()}
        )
        calibration = dict(
            calib_cam_to_cam=kitti_texts.camera_calibration(world),
            calib_velo_to_cam=kitti_texts.mount_calibration(kitti_rig.velo2cam(world.rig)),
            calib_imu_to_velo=kitti_texts.mount_calibration(kitti_rig.imu2velo()),
        )
        for name, text in calibration.items():
            (root / DAY / f'{name}.txt').write_text(text)
        lists: dict[str, list[KittiFrame]] = dict(train=[], val=[])
        for index, frames in enumerate(results):
            stamps = kitti_texts.timestamps(index, len(frames))
            for sensor in _SENSORS:
                (root / drive(index) / sensor / 'timestamps.txt').write_text(stamps)
            for end in ('start', 'end'):  # a simulated sweep takes no time
                path = root / drive(index) / 'velodyne_points' / f'timestamps_{end}.txt'
                path.write_text(stamps)
            part = split_of(world, index)
            lists[part] += [
                KittiFrame(drive(index), number, side)
                for side in ('lr' if part == 'train' else 'l')
                for number in range(1, len(frames) - 1)
            ]
        for part, frames in lists.items():
            write_split(frames, root / 'splits' / 'toy' / f'{part}_files.txt')


def drive(index: int) -> str:
    """Folder of a scene's drive below the root."""
    return f'{DAY}/{DAY}_drive_{index + 1:04d}_sync'


def split_of(world: World, index: int) -> str:
    """Split of a scene, 'train' or 'val'."""
    return 'train' if index < world.training_scenes else 'val'


def depth_folder(world: World, index: int, side: str) -> str:
    """Folder of the dense depth maps of a scene and side below the root."""
    name = Path(drive(index)).name
    camera = camera_number(side)
    return f'{split_of(world, index)}/{name}/proj_depth/groundtruth/image_{camera:02d}'


def _sweep(scene: Scene, ego2world: np.ndarray, time: float) -> np.ndarray:
    """(N, 4) float32 sweep: x forward, y left, z up (metres) and reflectance."""
    points, _ = sweep(
        scene,
        ego2world @ kitti_rig.VELO2EGO,
        time,
        kitti_rig.VELODYNE_ELEVATIONS,
        kitti_rig.VELODYNE_AZIMUTH_STEPS,
        kitti_rig.VELODYNE_RANGE,
    )
    return points
