"""Poses of the vehicle over time: files of TUM, KITTI and CSV, and interpolation."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..calibration_checks import check_rigid
from ..datasets.image_files import natural_key
from ..text_files import parse_number, read_json, read_text
from .errors import RigError
from .mounting import rotation_of, with_camera_axes

FORMATS = ('tum', 'kitti', 'csv', 'nerfstudio')
_CSV_COLUMNS = ('time', 'x', 'y', 'z', 'qw', 'qx', 'qy', 'qz')
_FASTEST = 70.0  # metres per second
_TURNING = 200.0  # degrees per second


@dataclass(frozen=True)
class Trajectory:
    """Poses of the vehicle.

    Args:
        times: (T,) seconds, increasing.
        poses: (T, 4, 4) vehicle to world, metres.
        source: file, for errors.

    Raises:
        RigError: times that do not increase, or poses that no vehicle drives.
    """

    times: np.ndarray
    poses: np.ndarray
    source: str

    def __post_init__(self) -> None:
        steps = np.diff(self.times)
        if (steps <= 0).any():
            place = int(np.argmax(steps <= 0))
            raise RigError(
                f'{self.source}: expected increasing times, got {self.times[place + 1]:.6f} s '
                f'after {self.times[place]:.6f} s; sort the poses and remove repeated ones'
            )
        self._check_steps(steps)

    def _check_steps(self, steps: np.ndarray) -> None:
        speeds = np.linalg.norm(np.diff(self.poses[:, :3, 3], axis=0), axis=1) / steps
        before, after = self.poses[:-1, :3, :3], self.poses[1:, :3, :3]
        cosines = (np.einsum('tij,tij->t', before, after) - 1) / 2
        # a pose that is rounded to 1e-4 seems to turn at a high rate over short steps
        turns = np.degrees(np.arccos(np.clip(cosines, -1, 1))) / np.maximum(steps, 0.02)
        for rates, limit, unit, advice in (
            (speeds, _FASTEST, 'm/s', 'Are positions in metres and times in seconds, '
             'and is this a jump of GPS? Smooth the poses, or cut the drive there (drives:)'),
            (turns, _TURNING, 'degrees/s', 'Is the order of the quaternion right (TUM: qx qy qz '
             'qw), and are all poses of one frame?'),
        ):  # fmt: skip
            if len(rates) and rates.max() > limit:
                place = int(rates.argmax())
                raise RigError(
                    f'{self.source}: the pose jumps between {self.times[place]:.3f} and '
                    f'{self.times[place + 1]:.3f} s: expected at most {limit:g} {unit}, got '
                    f'{rates[place]:.4g} ({int((rates > limit).sum())} of {len(rates)} steps). '
                    f'{advice}'
                )

    def covers(self, time: float, margin: float) -> bool:
        """Whether a time is within the poses, or at most `margin` seconds outside."""
        return bool(self.times[0] - margin <= time <= self.times[-1] + margin)

    def at(self, time: float) -> np.ndarray:
        """(4, 4) vehicle to world: linear in position, at a constant rate in rotation; the first or
        last pose outside of the times."""
        after = int(np.searchsorted(self.times, time))
        if after == 0 or after == len(self.times):
            return self.poses[min(after, len(self.times) - 1)].copy()
        start, end = self.times[after - 1], self.times[after]
        share = (time - start) / (end - start)
        first, last = self.poses[after - 1], self.poses[after]
        pose = np.eye(4)
        pose[:3, 3] = (1 - share) * first[:3, 3] + share * last[:3, 3]
        pose[:3, :3] = first[:3, :3] @ _power(first[:3, :3].T @ last[:3, :3], share)
        return pose


def _power(rotation: np.ndarray, share: float) -> np.ndarray:
    """A part of a rotation about its axis (Rodrigues' formula)."""
    import cv2

    vector, _ = cv2.Rodrigues(rotation)
    return cv2.Rodrigues(vector * share)[0]


def read_trajectory(path: Path, kind: str, times: np.ndarray, of2ego: np.ndarray) -> Trajectory:
    """Poses of a file.

    TUM: lines `time x y z qx qy qz qw`. KITTI: lines of 12 numbers, the rows of a 3x4 matrix, one
    per image. CSV: a heading with `time,x,y,z,qw,qx,qy,qz` in any order. nerfstudio: `frames` of
    transforms.json, one per image in the order of `file_path`, OpenGL axes.

    Args:
        kind: one of `FORMATS`.
        times: of the camera's images, for formats without times.
        of2ego: (4, 4) frame whose poses they are, to the vehicle.

    Raises:
        FileNotFoundError: no such file.
        RigError: other numbers than the format's; poses that jump.
        DepthDataError: not a rotation.
    """
    if kind not in FORMATS:
        raise RigError(f'{path}: expected a format among {", ".join(FORMATS)}, got {kind!r}')
    if kind == 'nerfstudio':
        stamps, poses = times, _nerfstudio_poses(path)
    elif kind == 'kitti':
        rows = _plain_rows(read_text(path), 12, path)
        stamps, poses = times, [_completed(row.reshape(3, 4)) for row in rows]
    elif kind == 'tum':
        rows = _plain_rows(read_text(path), 8, path)
        stamps, poses = rows[:, 0], [_pose(row[1:4], row[[7, 4, 5, 6]], path) for row in rows]
    else:
        rows = _csv_rows(read_text(path), path)
        stamps, poses = rows[:, 0], [_pose(row[1:4], row[4:], path) for row in rows]
    if not len(poses):
        raise RigError(f'{path}: expected poses, got none')
    if len(poses) != len(stamps):
        raise RigError(
            f'{path}: expected a pose per image of the camera, {len(stamps)}, got {len(poses)}; '
            'use a format with times (tum, csv)'
        )
    matrices = check_rigid(np.array(poses), str(path)) @ np.linalg.inv(of2ego)
    return Trajectory(np.asarray(stamps, np.float64), matrices, str(path))


def _nerfstudio_poses(path: Path) -> list[np.ndarray]:
    """(4, 4) poses of the frames, camera axes x right, y down, z forward."""
    frames = read_json(path).get('frames')
    try:
        ordered = sorted(frames, key=lambda frame: natural_key(Path(frame['file_path'])))
        found = [np.array(frame['transform_matrix'], np.float64) for frame in ordered]
    except (KeyError, TypeError, ValueError) as error:
        raise RigError(
            f'{path}: expected frames with file_path and transform_matrix, got {error!r}'
        ) from error
    return [with_camera_axes(pose, 'opengl', str(path)) for pose in found if pose.shape == (4, 4)]


def _completed(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([rows, [[0, 0, 0, 1.0]]])


def _pose(position: np.ndarray, quaternion: np.ndarray, path: Path) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation_of(quaternion, f'{path}'), position
    return pose


def _plain_rows(text: str, length: int, path: Path) -> np.ndarray:
    lines = [(n, line.split()) for n, line in enumerate(text.splitlines(), 1)
             if line.strip() and not line.lstrip().startswith('#')]  # fmt: skip
    return np.array([_parsed(row, length, path, n) for n, row in lines]).reshape(-1, length)


def _csv_rows(text: str, path: Path) -> np.ndarray:
    reader = csv.DictReader(text.splitlines())
    absent = [name for name in _CSV_COLUMNS if name not in (reader.fieldnames or ())]
    if absent:
        raise RigError(
            f'{path}: expected a heading with {",".join(_CSV_COLUMNS)}, got '
            f'{",".join(reader.fieldnames or ["nothing"])}, without {", ".join(absent)}'
        )
    rows = [[row[name] or '' for name in _CSV_COLUMNS] for row in reader]
    return np.array([_parsed(row, len(row), path, n) for n, row in enumerate(rows, 2)]).reshape(
        -1, len(_CSV_COLUMNS)
    )


def _parsed(row: Sequence[str], length: int, path: Path, line: int) -> list[float]:
    try:
        values = [parse_number(cell) for cell in row]
    except ValueError:
        values = []
    if len(values) != length or not np.isfinite(values).all():
        raise RigError(
            f'{path}, line {line}: expected {length} numbers, got {" ".join(row)[:80]!r}. Is the '
            'format another one (tum, kitti, csv)?'
        )
    return values


def from_first(trajectory: Trajectory) -> Trajectory:
    """The trajectory in the frame of its first pose, whose z axis points up."""
    return replace(trajectory, poses=np.linalg.inv(trajectory.poses[0]) @ trajectory.poses)
