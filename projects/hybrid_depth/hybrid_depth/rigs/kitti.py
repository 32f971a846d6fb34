"""Drives of a KITTI raw tree as those of an own vehicle: colour cameras, Velodyne, GPS and IMU.

The vehicle's frame is that of the Velodyne, moved down to the road.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..datasets.kitti.splits import KittiFrame
from ..datasets.kitti.splits.split_file import camera_number
from ..datasets.kitti.tree import KittiRawTree
from .drive import Drive, RigCamera, RigLidar
from .trajectory import Trajectory

_RATE = 10.0  # Hz
_HEIGHT = 1.73  # metres, Velodyne above the road (docs/reference/ground_plane.md, "Camera heights")


def kitti_drives(root: Path) -> list[Drive]:
    """All drives on disk with images; poses where every image has its line of oxts.

    Raises:
        FileNotFoundError: no KITTI raw tree, or no calibration.
        DepthDataError: calibration or oxts that cannot be used.
    """
    tree = KittiRawTree(root)
    return [drive for name in tree.drives() if (drive := _drive(tree, name)).cameras]


def _drive(tree: KittiRawTree, name: str) -> Drive:
    calibration = tree.calibration(name)
    velo2ego = np.eye(4)
    velo2ego[2, 3] = _HEIGHT
    cameras = {}
    for side in 'lr':
        number, images = camera_number(side), tree.images(name, side)
        if not images:
            continue
        cam2img = calibration.cam2img(number)
        velo2cam = np.eye(4)
        velo2cam[:3] = np.linalg.inv(cam2img) @ calibration.velo_to_image(number)
        cam2ego = velo2ego @ np.linalg.inv(velo2cam)
        times = np.array(list(images)) / _RATE
        size = calibration.image_size
        cameras[f'image_{number:02d}'] = RigCamera(
            cam2img, cam2ego, list(images.values()), times, size
        )
    lidar, sweeps = None, tree.sweeps(name)
    if sweeps:
        times = np.array(list(sweeps)) / _RATE
        lidar = RigLidar(velo2ego, list(sweeps.values()), times)
    return Drive(name, cameras, _trajectory(tree, name, cameras), None, lidar)


def _trajectory(tree: KittiRawTree, name: str, cameras: dict[str, RigCamera]) -> Trajectory | None:
    """Poses of the vehicle in its frame at the first image."""
    numbers = list(tree.images(name, 'l'))
    files = [tree.root / name / f'oxts/data/{number:010d}.txt' for number in numbers]
    if not numbers or not all(file.is_file() for file in files):
        return None
    cam2ego = cameras['image_02'].cam2ego
    poses = [
        cam2ego @ tree.motion(KittiFrame(name, number, 'l'), numbers[0]) @ np.linalg.inv(cam2ego)
        for number in numbers
    ]
    return Trajectory(np.array(numbers) / _RATE, np.array(poses), f'{files[0].parent}')
