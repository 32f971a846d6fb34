"""Distances that a vehicle knows without LiDAR, as sparse depth maps for a calibration."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from ..datasets.calibrated_frames import CalibratedFrame, Clip
from ..datasets.image_files import open_image
from ..errors import DamagedFileError, DepthDataError
from ..geometry import GroundPlane, GroundPlaneFit, cell_pixels
from ..geometry.camera_motion import CameraMotion, essential_motion
from ..geometry.depth_scale import GroundPlaneScale
from ..geometry.feature_tracks import find_corners, track
from ..geometry.ground_plane_fit import fit_ground_depth
from ..geometry.scene_classes import ROAD, SKY, THINGS
from ..text_files import parse_number, read_text

_GROUND_COLUMNS = 400  # of an image, on which the ground is compared
_CORNERS = 2000
_LEAST = 30  # corners
_PARALLAX = np.radians(1.0)  # smallest angle between the two rays of a corner
_MOTION = 0.3  # metres, smallest
_COLUMNS = ['image', 'u', 'v', 'metres']


@dataclass(frozen=True)
class GroundHeight:
    """Depth of the ground by the height of the camera, where the model's depth is that of a plane.

    The attitude is fitted to the depth of the ground (`fit_ground_depth`), with the calibration as
    prior; the height is that of the calibration. Without labels, the pixels with the ratio of most
    of them are the ground (`GroundPlaneScale`).

    Args:
        scale: which pixels are the ground.
    """

    scale: GroundPlaneScale = field(default_factory=GroundPlaneScale)
    name = 'height above the ground'

    def __call__(
        self, clip: Clip, index: int, depth: np.ndarray, labels: np.ndarray | None
    ) -> np.ndarray:
        """Metres (H, W) of a frame, 0 where unknown.

        Args:
            clip: frames in order of time.
            index: of the frame.
            depth: (H, W) of the model.
            labels: (H, W) train ids; None if unknown.
        """
        frame = clip[index]
        step = max(1, depth.shape[1] // _GROUND_COLUMNS)
        mask = np.zeros(depth.shape, bool)
        mask[::step, ::step] = True
        if labels is not None:
            mask &= labels == ROAD
        expected = self._ground(depth, frame, frame.plane, mask)
        fit = fit_ground_depth(
            depth,
            expected > 0,
            frame.cam2img,
            GroundPlaneFit.from_calibration(frame.plane),
            metric=False,
            max_depth=self.scale.max_depth,
        )
        return self._ground(depth, frame, fit.plane, mask)

    def _ground(
        self, depth: np.ndarray, frame: CalibratedFrame, plane: GroundPlane, mask: np.ndarray
    ) -> np.ndarray:
        """Depth of the plane where it agrees with the model's depth in a mask, else 0."""
        pixels = cell_pixels(depth.shape, depth.shape).double()
        cam2img = torch.from_numpy(frame.cam2img)
        metres = plane.depth(pixels, cam2img, self.scale.max_depth)
        given = torch.from_numpy(depth).double()
        chosen = torch.from_numpy(mask)
        factor = self.scale(given[None], metres[None], chosen[None]).scale
        agrees = (metres / (given * factor) - 1).abs() <= self.scale.tolerance  # no factor: none
        return metres.where(agrees & chosen & (metres > 0), 0.0).numpy()


@dataclass(frozen=True)
class VehicleMotion:
    """Depth of corners, triangulated between frames of which the vehicle knows the distance.

    Rotation and direction of the motion come from the corners themselves (five-point algorithm),
    its length from the poses. Corners of a label that moves are left out; others that move are
    outliers of the fit.

    Args:
        gaps: distances in frames to the other images, before and after.
    """

    gaps: Sequence[int] = (1, 2, 4)
    name = 'vehicle motion'

    def __call__(
        self, clip: Clip, index: int, depth: np.ndarray, labels: np.ndarray | None
    ) -> np.ndarray:
        """As of `GroundHeight`.

        Raises:
            DepthDataError: frames without poses.
        """
        frame = clip[index]
        if frame.position is None:
            raise DepthDataError(
                f'{frame.image}: expected the pose of the vehicle, got none; use an info file with '
                'poses (--infos), or another way to calibrate (--by ground, --by distances)'
            )
        metres = np.zeros(depth.shape)
        image = _grey(frame)
        static = np.ones(depth.shape, bool) if labels is None else ~np.isin(labels, (*THINGS, SKY))
        corners = find_corners(image, static, 0.005, _CORNERS)
        for step in (sign * gap for gap in sorted(self.gaps) for sign in (-1, 1)):
            if not 0 <= index + step < len(clip):
                continue
            other = clip[index + step]
            length = float(np.linalg.norm(other.position - frame.position))
            if not length >= _MOTION:
                continue
            good, moved = track(image, _grey(other), corners)
            motion = essential_motion((corners[good], moved[good]), frame.cam2img, _LEAST)
            if motion is not None:  # later, longer motions are more exact
                _place(metres, replace(motion, translation=motion.translation * length))
        return metres


class MeasuredPoints:
    """Points measured by hand: a CSV file with the columns image, u, v, metres.

    Args:
        path: the file. `image` is the end of an image's path; (u, v) is a pixel, (0, 0) the upper
            left one; metres along the camera's axis, not along the ray.

    Raises:
        FileNotFoundError: no such file.
        DamagedFileError: other columns, or values that are no numbers.
    """

    name = 'measured points'

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self.points: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        rows = csv.DictReader(read_text(path).splitlines(), skipinitialspace=True)
        if rows.fieldnames != _COLUMNS:
            raise DamagedFileError(
                f'{path}: expected the columns {",".join(_COLUMNS)}, got {rows.fieldnames}'
            )
        for row in rows:
            try:
                u, v, metres = (parse_number(row[key]) for key in _COLUMNS[1:])
            except (TypeError, ValueError, AttributeError) as error:
                raise DamagedFileError(
                    f'{path}, line {rows.line_num}: expected numbers u, v, metres, got {row}'
                ) from error
            if not (np.isfinite([u, v, metres]).all() and metres > 0):
                raise DamagedFileError(
                    f'{path}, line {rows.line_num}: expected finite numbers and metres above 0, '
                    f'got {row}'
                )
            self.points[row['image']].append((u, v, metres))
        self.used: set[str] = set()

    def __call__(
        self, clip: Clip, index: int, depth: np.ndarray, labels: np.ndarray | None
    ) -> np.ndarray:
        """As of `GroundHeight`.

        Raises:
            DepthDataError: a point outside its image.
        """
        metres = np.zeros(depth.shape)
        path = Path(clip[index].image)
        for name, points in self.points.items():
            if path.parts[-len(Path(name).parts) :] != Path(name).parts:
                continue
            self.used.add(name)
            for u, v, distance in points:
                row, column = round(v), round(u)
                if not (0 <= row < depth.shape[0] and 0 <= column < depth.shape[1]):
                    raise DepthDataError(
                        f'{self.path}: expected a pixel inside {path} '
                        f'({depth.shape[1]} x {depth.shape[0]}), got u {u:g}, v {v:g}'
                    )
                metres[row, column] = distance
        return metres

    @property
    def unused(self) -> list[str]:
        """Images of the file that were not among the frames."""
        return sorted(set(self.points) - self.used)


def _place(metres: np.ndarray, motion: CameraMotion) -> None:
    """Write the depth of a motion's corners into a map."""
    first, second = motion.scene
    rays, others = (
        np.concatenate((pixels, np.ones((len(pixels), 1))), 1) @ np.linalg.inv(motion.cam2img).T
        for pixels in (first, second)
    )
    turned = rays @ motion.rotation.T
    # z turned + translation = z' other: least squares in z and z'
    a, b, c = (turned**2).sum(1), (turned * others).sum(1), (others**2).sum(1)
    d, e = turned @ motion.translation, others @ motion.translation
    determinant = a * c - b**2
    sine = np.sqrt(np.maximum(determinant / (a * c), 0))
    wide = sine > np.sin(_PARALLAX)
    safe = np.where(wide, determinant, 1.0)
    near, far = (b * e - c * d) / safe, (a * e - b * d) / safe
    good = wide & (near > 0) & (far > 0)
    columns, rows = first[good].round().astype(int).T
    metres[rows, columns] = near[good]


def _grey(frame: CalibratedFrame) -> np.ndarray:
    return cv2.cvtColor(np.asarray(open_image(frame.image)), cv2.COLOR_RGB2GRAY)
