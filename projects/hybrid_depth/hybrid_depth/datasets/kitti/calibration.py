"""Calibration of a KITTI recording day."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...calibration_checks import check_camera, check_rigid
from ...errors import DepthDataError
from ...text_files import parse_number, read_text

_WIDEST_RIG = 100.0  # metres
_WIDEST_IMAGE = 1e5  # pixels
_DATE = 'calib_time'  # the entry without numbers
_FILES = ('calib_cam_to_cam.txt', 'calib_velo_to_cam.txt')
# Monodepth2's intrinsics of all KITTI cameras, relative to the image size: fx, fy, cx, cy.
MONODEPTH2_INTRINSICS = (0.58, 1.92, 0.5, 0.5)


def read_calibration_file(path: str | Path) -> dict[str, np.ndarray]:
    """Read a KITTI calibration file of `name: number number ...` lines.

    The date is skipped.

    Returns:
        float64 vectors by name.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: the file has no numbers, or other text among them.
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
        if name.strip() == _DATE:
            continue
        try:
            entries[name.strip()] = np.array([parse_number(number) for number in numbers.split()])
        except ValueError as error:
            raise DepthDataError(
                f'{path}: expected numbers for {name.strip()[:60]}, got {error}. Download the '
                'calibration again.'
            ) from error
    entries = {name: vector for name, vector in entries.items() if vector.size}
    if not entries:
        raise DepthDataError(
            f'{path}: expected lines "name: numbers", got none. Download the calibration again.'
        )
    return entries


def matrix_entry(
    entries: dict[str, np.ndarray], name: str, shape: tuple[int, ...], path: Path
) -> np.ndarray:
    """Entry of a calibration file; DepthDataError if it is missing or of another size."""
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
            DepthDataError: a matrix is missing, of another size, or not that of a camera or motion.
        """
        cameras, velodyne = (Path(folder, name) for name in _FILES)
        entries, mount = read_calibration_file(cameras), read_calibration_file(velodyne)
        velo_to_cam = np.eye(4)
        velo_to_cam[:3, :3] = matrix_entry(mount, 'R', (3, 3), velodyne)
        velo_to_cam[:3, 3] = matrix_entry(mount, 'T', (3,), velodyne)
        rectification = np.eye(4)
        rectification[:3, :3] = matrix_entry(entries, 'R_rect_00', (3, 3), cameras)
        width, height = matrix_entry(entries, 'S_rect_02', (2,), cameras)
        if not (0 < width < _WIDEST_IMAGE and 0 < height < _WIDEST_IMAGE):
            raise DepthDataError(
                f'{cameras}: expected width and height for S_rect_02, got {width:g} and {height:g}'
            )
        size = (int(width), int(height))
        projections = {}
        for i in range(4):
            name = f'P_rect_{i:02d}'
            projections[i] = matrix_entry(entries, name, (3, 4), cameras)
            check_projection(projections[i], f'{cameras}, {name}', size)
        return cls(
            projections,
            check_rigid(rectification, f'{cameras}, R_rect_00')[:3, :3],
            check_rigid(velo_to_cam, f'{velodyne}, R and T'),
            size,
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


def check_projection(
    projection: np.ndarray, source: str, size: tuple[int, int] | None = None
) -> None:
    """Check a projection (3, 4) of a rectified camera, see `check_camera`.

    Raises:
        DepthDataError: not the projection of a camera.
    """
    check_camera(projection[:, :3], source, size)
    offset = projection[:, 3] / projection[0, 0]  # metres
    if not np.abs(offset).max() < _WIDEST_RIG:
        raise DepthDataError(
            f'{source}: expected a camera within {_WIDEST_RIG:g} m of camera 0, got as fourth '
            f'column {projection[:, 3].tolist()}'
        )


def relative_cam2img(fx: float, fy: float, cx: float, cy: float, size: tuple[int, int]):
    """Intrinsic matrix (3, 3) in pixels from intrinsics relative to the image (width, height)."""
    width, height = size
    return np.array([[fx * width, 0, cx * width], [0, fy * height, cy * height], [0, 0, 1.0]])
