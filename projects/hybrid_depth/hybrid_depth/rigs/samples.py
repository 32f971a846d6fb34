"""Key frames of a drive: images, poses, boxes and LiDAR, joined by time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from .drive import Drive, RigBoxes, RigCamera
from .errors import RigError

_ALONE = 0.5  # seconds, tolerance for a camera with one image
_LONGEST_STEP = 1.5  # seconds between two boxes of an object, for its velocity, as in nuScenes
_MOST_LOST = 0.5  # of the key frames


@dataclass(frozen=True)
class KeyFrame:
    """One sample.

    Attributes:
        time: seconds.
        ego2global: (4, 4) pose of the vehicle at this time.
        images: by camera, (index of the image, (4, 4) pose of the vehicle at its time).
        sweep: index of the LiDAR sweep, None without one, and the pose at its time.
        boxes: indices of the boxes.
    """

    time: float
    ego2global: np.ndarray
    images: dict[str, tuple[int, np.ndarray]]
    sweep: tuple[int, np.ndarray] | None
    boxes: np.ndarray


@dataclass
class Losses:
    """Moments that are not key frames, by reason."""

    reasons: Counter = field(default_factory=Counter)
    moments: int = 0

    def __str__(self) -> str:
        return '; '.join(f'{count} {reason}' for reason, count in self.reasons.items())


def key_frames(
    drive: Drive, choice: str | float | None, tolerance: float | None, losses: Losses
) -> list[KeyFrame]:
    """Moments at which every camera has an image and the pose is known.

    Args:
        drive: the drive.
        choice: see `Description.keyframes`.
        tolerance: see `Description.tolerance`.
        losses: is filled.

    Raises:
        RigError: an unknown choice, or less than half of the moments are left.
    """
    moments = _moments(drive, choice)
    step = float(np.median(np.diff(moments))) if len(moments) > 1 else 2 * _ALONE
    limits = {name: tolerance or _tolerance(camera, step) for name, camera in drive.cameras.items()}
    found = [frame for time in moments if (frame := _join(drive, time, limits, losses))]
    losses.moments += len(moments)
    if len(found) < _MOST_LOST * len(moments):
        raise RigError(
            f'drive {drive.name}: expected an image of every camera and a pose at the key frames, '
            f'got {len(found)} of {len(moments)}: {losses}. Do the times (unit, clock, hz) of '
            'cameras, poses and boxes fit? A camera of a lower rate needs keyframes: CAMERA, '
            'gaps a larger tolerance:'
        )
    return found


def _moments(drive: Drive, choice: str | float | None) -> np.ndarray:
    if choice is None:
        choice = 'boxes' if drive.boxes is not None else next(iter(drive.cameras))
    if choice == 'boxes' and drive.boxes is not None:
        return np.unique(drive.boxes.times)
    if choice == 'lidar' and drive.lidar is not None:
        return drive.lidar.times
    if choice in drive.cameras:
        return drive.cameras[choice].times
    if isinstance(choice, int | float) and not isinstance(choice, bool) and choice > 0:
        return _thinned(next(iter(drive.cameras.values())).times, 1 / choice)
    raise RigError(
        f'drive {drive.name}: expected keyframes: boxes, lidar, a camera among '
        f'{", ".join(drive.cameras)}, or a rate in Hz, got {choice!r}'
    )


def _thinned(times: np.ndarray, step: float) -> np.ndarray:
    """Times that are about `step` apart or more."""
    kept = [times[0]]
    for time in times[1:]:
        if time - kept[-1] > 0.9 * step:
            kept.append(time)
    return np.array(kept)


def _join(
    drive: Drive, time: float, limits: Mapping[str, float], losses: Losses
) -> KeyFrame | None:
    images: dict[str, tuple[int, np.ndarray]] = {}
    for name, camera in drive.cameras.items():
        index = _nearest(camera.times, time)
        if abs(camera.times[index] - time) > limits[name]:
            losses.reasons[f'without an image of {name} within {limits[name]:.3g} s'] += 1
            return None
        images[name] = (index, _pose(drive, camera.times[index]))
    if drive.trajectory is not None and not drive.trajectory.covers(time, 0.1):
        first, last = drive.trajectory.times[[0, -1]]
        where = f'{drive.trajectory.source} ({first:.3f} to {last:.3f} s)'
        losses.reasons[f'without a pose in {where}'] += 1
        return None
    sweep = None
    if drive.lidar is not None:
        place = _nearest(drive.lidar.times, time)
        if abs(drive.lidar.times[place] - time) <= max(limits.values()):
            sweep = (place, _pose(drive, drive.lidar.times[place]))
    boxes = np.empty(0, int)
    if drive.boxes is not None:
        boxes = np.flatnonzero(np.abs(drive.boxes.times - time) < 0.02)
    return KeyFrame(time, _pose(drive, time), images, sweep, boxes)


def _tolerance(camera: RigCamera, step: float) -> float:
    """Half of the step between images, or between moments if that is shorter."""
    steps = np.diff(camera.times)
    return 0.5001 * min(float(np.median(steps)) if len(steps) else 2 * _ALONE, step)


def _nearest(times: np.ndarray, time: float) -> int:
    return int(np.abs(times - time).argmin())


def _pose(drive: Drive, time: float) -> np.ndarray:
    return np.eye(4) if drive.trajectory is None else drive.trajectory.at(time)


def ego_boxes(frame: KeyFrame, boxes: RigBoxes) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (M, 7) and velocities (M, 2) of a key frame in its vehicle frame."""
    rows, velocities = boxes.boxes[frame.boxes], boxes.velocities[frame.boxes]
    if boxes.frame == 'vehicle':
        return rows, velocities
    return moved_boxes(rows, velocities, np.linalg.inv(frame.ego2global))


def moved_boxes(
    rows: np.ndarray, velocities: np.ndarray, transform: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (M, 7) and velocities (M, 2) in another frame whose z axis is nearly the same."""
    rotation = transform[:3, :3]
    heading = np.stack([np.cos(rows[:, 6]), np.sin(rows[:, 6])], 1) @ rotation[:2, :2].T
    moved = rows.copy()
    moved[:, :3] = rows[:, :3] @ rotation.T + transform[:3, 3]
    moved[:, 6] = np.arctan2(heading[:, 1], heading[:, 0])
    return moved, velocities @ rotation[:2, :2].T


def tracked_velocities(frames: list[KeyFrame], boxes: RigBoxes) -> Iterator[np.ndarray]:
    """(M, 2) velocities per key frame: those of the file, else by the object's next and previous
    box (within 1.5 s, as in nuScenes), in the vehicle's frame; NaN where unknown."""
    places: list[dict[str, np.ndarray]] = []
    for frame in frames:
        centres = ego_boxes(frame, boxes)[0][:, :3] @ frame.ego2global[:3, :3].T
        centres = centres + frame.ego2global[:3, 3]
        names = [boxes.tracks[i] for i in frame.boxes] if boxes.tracks is not None else []
        places.append(dict(zip(names, centres, strict=False)))
    for index, frame in enumerate(frames):
        _, velocities = ego_boxes(frame, boxes)
        velocities = velocities.copy()
        for row, place in enumerate(frame.boxes if boxes.tracks is not None else ()):
            if np.isnan(velocities[row]).any():
                motion = _motion(frames, places, index, boxes.tracks[place])
                velocities[row] = (frame.ego2global[:3, :3].T @ motion)[:2]
        yield velocities


def _motion(
    frames: list[KeyFrame], places: list[dict[str, np.ndarray]], index: int, track: str
) -> np.ndarray:
    """(3,) velocity in the world, NaN if it is unknown."""
    around = [
        i for i in (index - 1, index, index + 1) if 0 <= i < len(frames) and track in places[i]
    ]
    first, last = around[0], around[-1]
    step = frames[last].time - frames[first].time
    if not 0 < step <= _LONGEST_STEP * (last - first):
        return np.full(3, np.nan)
    return (places[last][track] - places[first][track]) / step
