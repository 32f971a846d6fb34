"""Images of a data set with calibration, ground plane, LiDAR and their order in time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ..calibration_checks import check_camera, check_rigid
from ..errors import DamagedFileError, DepthDataError
from ..geometry import GroundPlane
from ..info_files import data_folders, read_infos
from .kitti.splits import KittiFrame
from .kitti.tree import KittiRawTree, annotated_depth_path
from .kitti.velodyne import read_velodyne
from .video.video_folder import VideoFolderDataset

KITTI_HEIGHT = 1.65  # metres (docs/reference/ground_plane.md, "Camera heights")


@dataclass(frozen=True)
class CalibratedFrame:
    """One image.

    Attributes:
        image: path.
        cam2img: (3, 3) intrinsics.
        plane: nominal ground in the camera frame.
        pose: (4, 4) camera to a fixed frame, metres; None if unknown.
        time: seconds; None if unknown.
        points: reads LiDAR points (N, 3) in the camera frame, metres; None without LiDAR.
        truth: depth PNG in KITTI's format; None if there is none.
    """

    image: Path
    cam2img: np.ndarray
    plane: GroundPlane
    pose: np.ndarray | None = None
    time: float | None = None
    points: Callable[[], np.ndarray] | None = None
    truth: Path | None = None

    @property
    def position(self) -> np.ndarray | None:
        """(3,) of the camera in the fixed frame, metres; None if unknown."""
        return None if self.pose is None else self.pose[:3, 3]


#: Images of one camera, in order of time.
Clip = list[CalibratedFrame]


def kitti_clips(root: str | Path, plane: GroundPlane) -> list[Clip]:
    """Both colour cameras of all drives of a KITTI raw tree; annotated depth below the same root.

    Raises:
        FileNotFoundError: no KITTI raw tree.
    """
    tree, clips = KittiRawTree(root), []
    for drive in tree.drives():
        calibration, sweeps = tree.calibration(drive), tree.sweeps(drive)
        for camera, side in ((2, 'l'), (3, 'r')):
            cam2img = calibration.cam2img(camera)
            to_camera = np.linalg.inv(cam2img) @ calibration.velo_to_image(camera)
            clip = [
                CalibratedFrame(
                    path,
                    cam2img,
                    plane,
                    points=_reader(sweeps[number], 4, to_camera) if number in sweeps else None,
                    truth=annotated_depth_path(root, KittiFrame(drive, number, side)),
                )
                for number, path in tree.images(drive, side).items()
            ]
            clips += [clip] if clip else []
    return clips


def info_clips(infos: str | Path, root: str | Path) -> dict[tuple[str, str], Clip]:
    """Clips of an info file by scene and camera; the ground is z = 0 of the ego frame.

    Args:
        infos: file of `create-nuscenes-infos` or `rig import`.
        root: data folder.

    Raises:
        DepthDataError: the file has no samples, or calibration that cannot be used.
        DamagedFileError: the file is of another version.
    """
    clips: dict[tuple[str, str], Clip] = {}
    content = read_infos(infos)
    has_poses = content['metainfo'].get('has_poses', True)
    for index, info in enumerate(content['data_list']):
        try:
            folders = data_folders(content['metainfo'], info['images'])
            for name, camera in info['images'].items():
                source = f'{infos}, sample {index}, {name}'
                image = Path(root, folders[name], camera['img_path'])
                frame = _info_frame(camera, image, source, has_poses)
                lidar = info['lidar_points']
                if lidar.get('lidar_path'):
                    sweep = Path(root, folders['pts'], lidar['lidar_path'])
                    to_camera = np.array(camera['lidar2cam'])[:3]
                    frame = replace(frame, points=_reader(sweep, lidar['num_pts_feats'], to_camera))
                clips.setdefault((info['scene_token'], name), []).append(frame)
        except (AttributeError, KeyError, TypeError) as error:
            raise DamagedFileError(
                f'{infos}, sample {index}: expected images with calibration, lidar_points and '
                f'scene_token, got {type(error).__name__}: {error}. Make the file with this '
                'version: hybrid-depth create-nuscenes-infos --root ROOT --version VERSION'
            ) from error
    if not clips:
        raise DepthDataError(f'{infos}: expected an info file with samples, got none')
    return clips


def _info_frame(camera: dict, image: Path, source: str, has_poses: bool) -> CalibratedFrame:
    poses = {
        key: check_rigid(camera[key], f'{source}, {key}')
        for key in ('cam2ego', 'ego2global', 'lidar2cam')
    }
    time = camera['timestamp']
    if not isinstance(time, int | float) or not math.isfinite(time):
        raise DepthDataError(f'{source}: expected a timestamp in seconds, got {time!r}')
    return CalibratedFrame(
        image,
        check_camera(camera['cam2img'], source),
        GroundPlane.from_pose(torch.from_numpy(poses['cam2ego'])),
        pose=poses['ego2global'] @ poses['cam2ego'] if has_poses else None,
        time=time,
    )


def folder_clips(
    root: str | Path, plane: GroundPlane, intrinsics: Sequence[float] | None = None
) -> list[Clip]:
    """Every folder with images below a root; intrinsics as of `VideoFolderDataset`."""
    dataset = VideoFolderDataset(str(root), intrinsics, lazy_init=True)
    return [
        [CalibratedFrame(image, dataset.camera_of(folder), plane) for image in images]
        for folder, images in dataset.clips.items()
    ]


def _reader(path: Path, columns: int, to_camera: np.ndarray) -> Callable[[], np.ndarray]:
    def read() -> np.ndarray:
        if columns == 4:
            points = read_velodyne(path)
        else:
            points = np.fromfile(path, np.float32).reshape(-1, columns)
        points = points[:, :3].astype(np.float64) @ to_camera[:, :3].T + to_camera[:, 3]
        return points[points[:, 2] > 0]

    return read
