"""Calibration of a KITTI recording day, and checks of camera matrices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import DepthDataError
from ...text_files import read_text

_FILES = ('calib_cam_to_cam.txt', 'calib_velo_to_cam.txt')
# Monodepth2's intrinsics of all KITTI cameras, relative to the image size: fx, fy, cx, cy.
MONODEPTH2_INTRINSICS = (0.58, 1.92, 0.5, 0.5)
_WIDEST_VIEW, _NARROWEST_VIEW = 170.0, 5.0  # degrees, plausible range of a pinhole camera


def read_calibration_file(path: str | Path) -> dict[str, np.ndarray]:
    """Read a KITTI calibration file of `name: number number ...` lines.

    Lines without numbers (the date) are skipped.

    Returns:
        float64 vectors by name.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: the file has no numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f'expected the calibration file {path}, which does not exist. It comes with the '
            'calibration archive of its day ("raw data" page of the KITTI site).'
        )
    entries = {}
    for line in read_text(path).splitlines():
        name, _, numbers = line.partition(':')
        try:
            entries[name.strip()] = np.array([float(number) for number in numbers.split()])
        except ValueError:
            continue
    entries = {name: vector for name, vector in entries.items() if vector.size}
    if not entries:
        raise DepthDataError(
            f'{path}: expected lines "name: numbers", got none. Download the calibration again.'
        )
    return entries


def _entry(entries: dict[str, np.ndarray], name: str, shape: tuple[int, ...], path: Path):
    size = math.prod(shape)
    found = entries.get(name, np.empty(0)).size
    if found != size:
        raise DepthDataError(
            f'{path}: expected {size} numbers for {name}, got {found}. The file is damaged or of '
            'another kind; download the calibration again.'
        )
    return entries[name].reshape(shape)


@dataclass(frozen=True)
class KittiCalibration:
    """Calibration of the rectified cameras of one recording day (`calib_*.txt`).

    Attributes:
        projections: P_rect (3, 4) by camera number, rectified camera 0 → pixels of that camera.
        rectification: R_rect_00 (3, 3).
        velo_to_cam: (4, 4), Velodyne → unrectified camera 0, metres.
        image_size: (width, height) of rectified images, from S_rect_02.
    """

    projections: dict[int, np.ndarray]
    rectification: np.ndarray
    velo_to_cam: np.ndarray
    image_size: tuple[int, int]

    @classmethod
    def from_folder(cls, folder: str | Path) -> KittiCalibration:
        """Read the two calibration files of a date folder such as `2011_09_26`.

        Raises:
            FileNotFoundError: a file is missing.
            DepthDataError: a matrix is missing or of another size.
        """
        cameras, velodyne = (Path(folder, name) for name in _FILES)
        entries, mount = read_calibration_file(cameras), read_calibration_file(velodyne)
        velo_to_cam = np.eye(4)
        velo_to_cam[:3, :3] = _entry(mount, 'R', (3, 3), velodyne)
        velo_to_cam[:3, 3] = _entry(mount, 'T', (3,), velodyne)
        width, height = _entry(entries, 'S_rect_02', (2,), cameras)
        return cls(
            {i: _entry(entries, f'P_rect_{i:02d}', (3, 4), cameras) for i in range(4)},
            _entry(entries, 'R_rect_00', (3, 3), cameras),
            velo_to_cam,
            (int(width), int(height)),
        )

    def cam2img(self, camera: int) -> np.ndarray:
        """Intrinsic matrix (3, 3) of a camera, pixels of the rectified image."""
        return self.projections[camera][:, :3].copy()

    def velo_to_image(self, camera: int) -> np.ndarray:
        """Projection (3, 4) of homogeneous Velodyne points to (u * depth, v * depth, depth)."""
        rectification = np.eye(4)
        rectification[:3, :3] = self.rectification
        return self.projections[camera] @ rectification @ self.velo_to_cam

    def baseline(self, camera: int, other: int) -> float:
        """Distance from one camera to another, metres, positive if the other is to the right."""
        p, q = self.projections[camera], self.projections[other]
        return float(p[0, 3] / p[0, 0] - q[0, 3] / q[0, 0])


def relative_cam2img(fx: float, fy: float, cx: float, cy: float, size: tuple[int, int]):
    """Intrinsic matrix (3, 3) in pixels from intrinsics relative to the image (width, height)."""
    width, height = size
    return np.array([[fx * width, 0, cx * width], [0, fy * height, cy * height], [0, 0, 1.0]])


def field_of_view(cam2img: np.ndarray, size: tuple[int, int]) -> tuple[float, float]:
    """Horizontal and vertical angle of view, degrees, of an image of (width, height) pixels."""
    angles = []
    for axis in (0, 1):
        focal, centre = cam2img[axis, axis], cam2img[axis, 2]
        angles.append(math.atan2(centre, focal) + math.atan2(size[axis] - centre, focal))
    return math.degrees(angles[0]), math.degrees(angles[1])


def check_intrinsics(cam2img: np.ndarray, size: tuple[int, int], source: str) -> None:
    """Check intrinsics for common mistakes in user data.

    Args:
        cam2img: (3, 3) in pixels of the image.
        size: (width, height) of the image.
        source: where the matrix comes from, for the error.

    Raises:
        DepthDataError: negative or relative numbers, width and height swapped, an impossible
            angle of view.
    """
    cam2img = np.asarray(cam2img, dtype=float)
    if cam2img.shape != (3, 3) or not np.isfinite(cam2img).all():
        raise DepthDataError(f'{source}: expected a finite 3x3 matrix, got {cam2img.tolist()}')
    fx, fy, cx, cy = cam2img[0, 0], cam2img[1, 1], cam2img[0, 2], cam2img[1, 2]
    got = f'{source}: fx {fx:g}, fy {fy:g}, cx {cx:g}, cy {cy:g} for {size[0]}x{size[1]} pixels'
    if min(fx, fy) <= 0:
        raise DepthDataError(f'{got}: expected positive focal lengths (y points down)')
    if max(abs(cx), abs(cy)) <= 2:
        raise DepthDataError(
            f'{got}: expected pixels, got numbers relative to the size; multiply the first row by '
            'the width and the second by the height'
        )
    if not (0 < cx < size[0] and 0 < cy < size[1]):
        raise DepthDataError(
            f'{got}: expected the centre inside the image. Is the matrix that of another size, '
            'or are width and height swapped?'
        )
    for name, angle in zip(('horizontal', 'vertical'), field_of_view(cam2img, size), strict=True):
        if not _NARROWEST_VIEW < angle < _WIDEST_VIEW:
            raise DepthDataError(f'{got}: a {name} angle of view of {angle:.1f} degrees')
