"""File layout of complete or partial KITTI downloads."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ...errors import DepthDataError
from ...text_files import parse_number, read_text
from ..image_files import IMAGE_SUFFIXES, numbered_files
from .calibration import KittiCalibration, check_projection
from .oxts import imu_motion, imu_to_camera
from .splits.split_file import KittiFrame, camera_number

_NOT_THERE = (
    'expected KITTI at {root}, got no such folder with {folder} in it. Download the drives from '
    'https://www.cvlibs.net/datasets/kitti/raw_data.php and unpack them there, link the folder '
    '(ln -s /where/it/is {root}), or make a toy one: hybrid-depth make-toy-world {root} '
    '--layout kitti'
)


class KittiRawTree:
    """KITTI raw: `<day>/<day>_drive_<number>_sync/image_02/data/<10 digits>.png`.

    Args:
        root: folder of the days.
        image_format: 'png' or 'jpg'; None detects it, png first.

    Raises:
        FileNotFoundError: the root has no folder of a day.
    """

    def __init__(self, root: str | Path, image_format: str | None = None):
        self.root = Path(root)
        self.suffixes = IMAGE_SUFFIXES if image_format is None else (f'.{image_format}',)
        if not any(self._days()):
            raise FileNotFoundError(_NOT_THERE.format(root=self.root, folder='2011_09_26'))
        self._images: dict[tuple[str, str], dict[int, Path]] = {}
        self._sweeps: dict[str, dict[int, Path]] = {}
        self._calibrations: dict[str, KittiCalibration] = {}
        self._mounts: dict[tuple[str, int], np.ndarray] = {}

    def _days(self) -> list[Path]:
        days = self.root.iterdir() if self.root.is_dir() else []
        return sorted(day for day in days if re.fullmatch(r'[0-9]{4}_[0-9]{2}_[0-9]{2}', day.name))

    def drives(self) -> list[str]:
        """Drives on disk as '<day>/<drive>', sorted."""
        return [
            f'{day.name}/{drive.name}'
            for day in self._days()
            for drive in sorted(day.glob('*_drive_*'))
            if drive.is_dir()
        ]

    def images(self, folder: str, side: str) -> dict[int, Path]:
        """Images of one colour camera by frame number; empty if the drive is not on disk."""
        if (folder, side) not in self._images:
            place = self.root / folder / f'image_{camera_number(side):02d}' / 'data'
            self._images[folder, side] = numbered_files(place, self.suffixes)
        return self._images[folder, side]

    def sweeps(self, folder: str) -> dict[int, Path]:
        """Velodyne sweeps of a drive by frame number."""
        if folder not in self._sweeps:
            place = self.root / folder / 'velodyne_points' / 'data'
            self._sweeps[folder] = numbered_files(place, ('.bin',))
        return self._sweeps[folder]

    def calibration(self, folder: str) -> KittiCalibration:
        """Calibration of a drive's day; errors as `KittiCalibration.from_folder`."""
        day = folder.split('/')[0]
        if day not in self._calibrations:
            self._calibrations[day] = KittiCalibration.from_folder(self.root / day)
        return self._calibrations[day]

    def cam2img(self, frame: KittiFrame) -> np.ndarray:
        """Intrinsic matrix (3, 3) of a frame, pixels of its image."""
        return self.calibration(frame.folder).cam2img(camera_number(frame.side))

    def camera(self, frame: KittiFrame) -> dict:
        """`cam2img` of a frame and, if known, its `calibration_size` (width, height)."""
        return dict(
            cam2img=self.cam2img(frame),
            calibration_size=self.calibration(frame.folder).image_size,
        )

    def motion(self, frame: KittiFrame, number: int) -> np.ndarray:
        """(4, 4) a frame's camera to the same camera in frame ``number``, metres, from `oxts`.

        Raises:
            FileNotFoundError, DepthDataError: see `imu_motion` and `imu_to_camera`.
        """
        day, camera = frame.folder.split('/')[0], camera_number(frame.side)
        if (day, camera) not in self._mounts:
            calibration = self.calibration(frame.folder)
            self._mounts[day, camera] = imu_to_camera(self.root / day, calibration, camera)
        mount = self._mounts[day, camera]
        files = [
            self.root / frame.folder / f'oxts/data/{n:010d}.txt' for n in (frame.number, number)
        ]
        return mount @ imu_motion(*files) @ np.linalg.inv(mount)

    def baseline(self, frame: KittiFrame) -> float:
        """Distance from a frame's camera to the other one, metres, positive to the right."""
        cameras = camera_number(frame.side), camera_number(frame.other_side)
        return self.calibration(frame.folder).baseline(*cameras)


class KittiOdometryTree:
    """KITTI odometry: `sequences/<2 digits>/image_<camera>/<6 digits>.png`.

    Args:
        root: folder with `sequences`.
        image_format: as in `KittiRawTree`.
        cameras: numbers of the left and right camera: (2, 3) colour, (0, 1) greyscale.

    Raises:
        FileNotFoundError: the root has no `sequences`.
    """

    def __init__(
        self,
        root: str | Path,
        image_format: str | None = None,
        cameras: tuple[int, int] = (2, 3),
    ):
        self.root = Path(root)
        self.suffixes = IMAGE_SUFFIXES if image_format is None else (f'.{image_format}',)
        self.cameras = dict(zip('lr', cameras, strict=True))
        if not (self.root / 'sequences').is_dir():
            raise FileNotFoundError(_NOT_THERE.format(root=self.root, folder='sequences'))
        self._images: dict[tuple[str, str], dict[int, Path]] = {}
        self._projections: dict[str, dict[int, np.ndarray]] = {}

    def _folder(self, sequence: str) -> Path:
        return self.root / 'sequences' / f'{int(sequence):02d}'

    def _read_projections(self, sequence: str) -> dict[int, np.ndarray]:
        """P matrices of `calib.txt`; without names ('P0:') they are numbered by line."""
        path = self._folder(sequence) / 'calib.txt'
        if not path.is_file():
            raise FileNotFoundError(f'expected the calibration {path}, which does not exist')
        rows = [line.split() for line in read_text(path).splitlines() if line.strip()]
        named = [row if row[0][0] in 'PT' else [f'P{i}:', *row] for i, row in enumerate(rows)]
        cameras = [row for row in named if row[0][0] == 'P']
        if not cameras or any(len(row) != 13 for row in cameras):
            raise DepthDataError(f'{path}: expected lines of 12 numbers (P0 to P3)')
        try:
            found = {
                parse_number(row[0][1:].rstrip(':'), int): np.array(
                    [parse_number(text) for text in row[1:]]
                )
                for row in cameras
            }
        except ValueError as error:
            raise DepthDataError(f'{path}: expected lines of 12 numbers, got {error}') from error
        for number, row in found.items():
            check_projection(row.reshape(3, 4), f'{path}, P{number}')
        return {number: row.reshape(3, 4) for number, row in found.items()}

    def _projection(self, sequence: str, side: str) -> np.ndarray:
        if sequence not in self._projections:
            self._projections[sequence] = self._read_projections(sequence)
        camera, projections = self.cameras[side], self._projections[sequence]
        if camera not in projections:
            raise DepthDataError(
                f'sequence {sequence}: expected P{camera} in calib.txt, got {sorted(projections)}'
            )
        return projections[camera]

    def images(self, folder: str, side: str) -> dict[int, Path]:
        """As `KittiRawTree.images`; the folder is the sequence number."""
        if (folder, side) not in self._images:
            place = self._folder(folder) / f'image_{self.cameras[side]}'
            self._images[folder, side] = numbered_files(place, self.suffixes)
        return self._images[folder, side]

    def cam2img(self, frame: KittiFrame) -> np.ndarray:
        """As `KittiRawTree.cam2img`."""
        return self._projection(frame.folder, frame.side)[:, :3].copy()

    def camera(self, frame: KittiFrame) -> dict:
        """As `KittiRawTree.camera`."""
        return dict(cam2img=self.cam2img(frame))

    def baseline(self, frame: KittiFrame) -> float:
        """As `KittiRawTree.baseline`."""
        p = self._projection(frame.folder, frame.side)
        q = self._projection(frame.folder, frame.other_side)
        return float(p[0, 3] / p[0, 0] - q[0, 3] / q[0, 0])


def annotated_depth_path(root: str | Path, frame: KittiFrame) -> Path | None:
    """PNG of a frame's improved ('annotated') ground truth, in train or val; None if missing."""
    drive, camera = Path(frame.folder).name, camera_number(frame.side)
    for part in ('train', 'val'):
        folder = Path(root, part, drive, 'proj_depth', 'groundtruth', f'image_{camera:02d}')
        if (folder / f'{frame.number:010d}.png').is_file():
            return folder / f'{frame.number:010d}.png'
    return None
