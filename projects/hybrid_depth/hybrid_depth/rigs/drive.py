"""A drive of an own vehicle as plain data: cameras, poses, boxes and LiDAR, before they are joined.

Frames: camera x right, y down, z forward; vehicle (ego) x forward, y left, z up, the ground at
z = 0. Times in seconds, lengths in metres.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .lens import Lens
from .trajectory import Trajectory


@dataclass(frozen=True)
class RigCamera:
    """Images of one camera in one drive.

    Attributes:
        cam2img: (3, 3) intrinsics of the images as they are, pixels.
        cam2ego: (4, 4) mounting.
        images: files, in order of time.
        times: (F,) of the images, increasing.
        lens: distortion; None for undistorted images.
        size: (width, height) of the images.
    """

    cam2img: np.ndarray
    cam2ego: np.ndarray
    images: Sequence[Path]
    times: np.ndarray
    size: tuple[int, int]
    lens: Lens | None = None


@dataclass(frozen=True)
class RigLidar:
    """Sweeps of one LiDAR in one drive.

    Attributes:
        lidar2ego: (4, 4) mounting.
        files: sweeps, in order of time.
        times: (F,) increasing.
        columns: float32 numbers per point of .bin files.
    """

    lidar2ego: np.ndarray
    files: Sequence[Path]
    times: np.ndarray
    columns: int = 4


@dataclass(frozen=True)
class RigBoxes:
    """Annotated boxes of one drive.

    Attributes:
        times: (M,).
        names: (M,) classes.
        boxes: (M, 7) centre, length, width, height, yaw (counter-clockwise about z), in `frame`.
        velocities: (M, 2) in `frame`; NaN where unknown.
        points: (M,) LiDAR points inside; None if not counted.
        tracks: (M,) an object's name in all frames; None if unknown.
        frame: 'vehicle' (at the time of the box) or 'world'.
    """

    times: np.ndarray
    names: Sequence[str]
    boxes: np.ndarray
    velocities: np.ndarray
    points: np.ndarray | None = None
    tracks: Sequence[str] | None = None
    frame: str = 'vehicle'


@dataclass(frozen=True)
class Drive:
    """One drive.

    Attributes:
        name: of the drive.
        cameras: by name, in the order in which they are used.
        trajectory: poses of the vehicle; None if unknown.
        boxes: None without annotations.
        lidar: None without LiDAR.
    """

    name: str
    cameras: Mapping[str, RigCamera]
    trajectory: Trajectory | None = None
    boxes: RigBoxes | None = None
    lidar: RigLidar | None = None
