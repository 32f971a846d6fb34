"""Samples of an info file as plain arrays, for checks and drawings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..calibration_checks import check_camera, check_rigid
from ..datasets.image_files import open_image
from ..errors import DamagedFileError, DepthDataError
from ..info_files import data_folders, read_infos


@dataclass(frozen=True)
class View:
    """Image of one camera in one sample.

    Attributes:
        name: of the camera.
        path: image file.
        time: seconds.
        cam2img: (3, 3) pixels.
        size: (width, height).
        cam2ego: (4, 4) mounting.
        ego2img: (3, 4) projection of the vehicle's frame at the time of the sample.
        cam2global: (4, 4) at the time of the image.
    """

    name: str
    path: Path
    time: float
    cam2img: np.ndarray
    size: tuple[int, int]
    cam2ego: np.ndarray
    ego2img: np.ndarray
    cam2global: np.ndarray

    def image(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB."""
        return np.array(open_image(self.path))


@dataclass(frozen=True)
class Sample:
    """One sample.

    Attributes:
        token, drive: names.
        time: seconds.
        ego2global: (4, 4).
        views: cameras.
        boxes: (M, 7) gravity centre, size, yaw in the vehicle's frame.
        velocities: (M, 2) in the vehicle's frame, NaN where unknown.
        labels: (M,), -1 for other classes.
        lidar: LiDAR file, None without one; its columns and (4, 4) frame to the vehicle's.
    """

    token: str
    drive: str
    time: float
    ego2global: np.ndarray
    views: tuple[View, ...]
    boxes: np.ndarray
    velocities: np.ndarray
    labels: np.ndarray
    lidar: tuple[Path, int, np.ndarray] | None

    def points(self) -> np.ndarray | None:
        """(P, 3) LiDAR points in the vehicle's frame; None without LiDAR."""
        if self.lidar is None or not self.lidar[0].is_file():
            return None
        path, columns, lidar2ego = self.lidar
        points = np.fromfile(path, np.float32).reshape(-1, columns)[:, :3].astype(np.float64)
        return points @ lidar2ego[:3, :3].T + lidar2ego[:3, 3]


class RigData:
    """An info file of `rig import`, or of nuScenes.

    Args:
        infos: the file.
        root: data folder; None for the file's.

    Raises:
        FileNotFoundError, DamagedFileError: as of `read_infos`, or an entry is missing.
        DepthDataError: no samples, or a matrix that is not that of a camera or rigid motion.
    """

    def __init__(self, infos: str | Path, root: str | Path | None = None) -> None:
        self.path, self.root = Path(infos), Path(root or Path(infos).parent)
        content = read_infos(infos)
        self.meta = content['metainfo']
        self._infos = content['data_list']
        if not self._infos:
            raise DepthDataError(f'{infos}: expected samples, got none')
        self.cameras = list(self._infos[0].get('images', {}))
        categories = self.meta.get('categories', {})
        self.classes = [name for name, _ in sorted(categories.items(), key=lambda item: item[1])]

    def __len__(self) -> int:
        return len(self._infos)

    @cached_property
    def samples(self) -> list[Sample]:
        """All samples, in order."""
        return [self.sample(index) for index in range(len(self))]

    def sample(self, index: int) -> Sample:
        """One sample."""
        info = self._infos[index]
        try:
            return self._sample(info)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, DepthDataError):
                raise
            raise DamagedFileError(
                f'{self.path}, sample {index}: expected an info file of hybrid-depth rig import, '
                f'got {type(error).__name__}: {error}; import it again'
            ) from error

    def _sample(self, info: dict) -> Sample:
        source = f'{self.path}, {info["token"]}'
        lidar2ego = check_rigid(info['lidar_points']['lidar2ego'], source)
        folders = data_folders(self.meta, self.cameras)
        instances = info.get('instances', [])
        rows = np.array([item['bbox_3d'][:7] for item in instances], np.float64).reshape(-1, 7)
        velocities = [item.get('velocity', [np.nan, np.nan]) for item in instances]
        file = info['lidar_points'].get('lidar_path')
        lidar = None
        if file:
            path = self.root / folders['pts'] / file
            lidar = (path, int(info['lidar_points']['num_pts_feats']), lidar2ego)
        # boxes are in the LiDAR's frame, whose z axis is nearly that of the vehicle
        heading = np.stack([np.cos(rows[:, 6]), np.sin(rows[:, 6])], 1) @ lidar2ego[:2, :2].T
        boxes = rows.copy()
        boxes[:, :3] = rows[:, :3] @ lidar2ego[:3, :3].T + lidar2ego[:3, 3]
        boxes[:, 6] = np.arctan2(heading[:, 1], heading[:, 0])
        return Sample(
            info['token'],
            info.get('scene_name', info.get('scene_token', '')),
            float(info['timestamp']),
            check_rigid(info['ego2global'], source),
            tuple(self._view(info, name, lidar2ego, folders, source) for name in self.cameras),
            boxes,
            np.array(velocities, np.float64).reshape(-1, 2) @ lidar2ego[:2, :2].T,
            np.array([item.get('bbox_label_3d', -1) for item in instances], int),
            lidar,
        )

    def _view(
        self, info: dict, name: str, lidar2ego: np.ndarray, folders: dict[str, str], source: str
    ) -> View:
        entry = info['images'][name]
        size = (int(entry['width']), int(entry['height']))
        cam2img = check_camera(entry['cam2img'], f'{source}, {name}', size)
        cam2ego = check_rigid(entry['cam2ego'], f'{source}, {name}')
        lidar2cam = check_rigid(entry['lidar2cam'], f'{source}, {name}')
        return View(
            name,
            self.root / folders[name] / entry['img_path'],
            float(entry['timestamp']),
            cam2img,
            size,
            cam2ego,
            cam2img @ (lidar2cam @ np.linalg.inv(lidar2ego))[:3],
            check_rigid(entry['ego2global'], f'{source}, {name}') @ cam2ego,
        )
