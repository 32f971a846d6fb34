"""Key frames of an info file as plain data; needs neither torch nor mmdet3d."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..datasets.nuscenes.names import InfoError

_USUAL_ORDER = ('FRONT_LEFT', 'FRONT', 'FRONT_RIGHT', 'BACK_LEFT', 'BACK', 'BACK_RIGHT')


@dataclass(frozen=True)
class Camera:
    """Image of a key frame, with its calibration.

    Args:
        name: of the camera.
        path: image file.
        cam2img: (3, 3) intrinsics, pixels.
        cam2ego: (4, 4) pose in the ego frame at LiDAR time.
    """

    name: str
    path: Path
    cam2img: np.ndarray
    cam2ego: np.ndarray

    def size(self) -> tuple[int, int]:
        """(width, height) of the image, pixels."""
        if not self.path.is_file():
            raise FileNotFoundError(
                f'expected an image of {self.name}, got {self.path}, which does not exist; give '
                'the folder of the data set with --root'
            )
        with Image.open(self.path) as image:
            return image.size


@dataclass(frozen=True)
class KeyFrame:
    """Images, LiDAR sweep and pose of a sample.

    Args:
        token, scene: of the sample.
        timestamp: seconds.
        cameras: in the order of the info file.
        ego2global: (4, 4) pose of the vehicle at LiDAR time.
        lidar2ego: (4, 4) pose of the LiDAR.
        sweep: LiDAR file, or None.
        point_size: float32 values of a point.
    """

    token: str
    scene: str
    timestamp: float
    cameras: list[Camera]
    ego2global: np.ndarray
    lidar2ego: np.ndarray
    sweep: Path | None
    point_size: int

    def points(self) -> np.ndarray:
        """(P, 3) float32 LiDAR points in the ego frame, metres; none without a sweep on disk."""
        if self.sweep is None or not self.sweep.is_file():
            return np.empty((0, 3), np.float32)
        values = np.fromfile(self.sweep, np.float32)
        points = values[: len(values) // self.point_size * self.point_size]
        points = points.reshape(-1, self.point_size)[:, :3]
        points = points[np.isfinite(points).all(1)]
        return (points @ self.lidar2ego[:3, :3].T + self.lidar2ego[:3, 3]).astype(np.float32)


def read_key_frames(content: Mapping, root: Path, source: str | Path) -> list[KeyFrame]:
    """Key frames of an info file, by time.

    Args:
        content: of the info file.
        root: data set; images are in ``samples/<camera>``, as mmdet3d's data set expects them.
        source: info file, for errors.

    Raises:
        InfoError: no sample, or a sample without the entries of one.
    """
    frames = []
    for index, info in enumerate(content['data_list']):
        try:
            frames.append(_key_frame(info, root))
        except (AttributeError, LookupError, TypeError, ValueError, np.linalg.LinAlgError) as error:
            raise InfoError(
                f'{source}, sample {index}: expected the entries of an info file, got others '
                f'({error!r}); make it with: hybrid-depth create-nuscenes-infos --root ROOT '
                '--version VERSION'
            ) from error
    if not frames:
        raise InfoError(f'{source}: expected samples, got none')
    return sorted(frames, key=lambda frame: frame.timestamp)


def _key_frame(info: Mapping, root: Path) -> KeyFrame:
    lidar = info['lidar_points']
    lidar2ego = np.array(lidar['lidar2ego'], float).reshape(4, 4)
    cameras = [
        Camera(
            name,
            root / 'samples' / name / image['img_path'],
            np.array(image['cam2img'], float)[:3, :3],
            lidar2ego @ np.linalg.inv(np.array(image['lidar2cam'], float).reshape(4, 4)),
        )
        for name, image in info['images'].items()
    ]
    sweep = lidar.get('lidar_path')
    return KeyFrame(
        token=str(info['token']),
        scene=str(info.get('scene_name', info.get('scene_token', ''))),
        timestamp=float(info['timestamp']),
        cameras=cameras,
        ego2global=np.array(info['ego2global'], float).reshape(4, 4),
        lidar2ego=lidar2ego,
        sweep=root / 'samples' / 'LIDAR_TOP' / sweep if sweep else None,
        point_size=int(lidar.get('num_pts_feats', 5)),
    )


def in_display_order(cameras: Sequence[Camera]) -> list[Camera]:
    """Cameras as they are shown: nuScenes' ahead, then its back ones, from left to right."""
    places = {f'CAM_{name}': place for place, name in enumerate(_USUAL_ORDER)}
    return sorted(cameras, key=lambda camera: places.get(camera.name, len(places)))
