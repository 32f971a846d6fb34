"""Ground planes of the frames of a clip, from the measurements that are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..datasets.calibrated_frames import CalibratedFrame, Clip
from ..datasets.depth_map_files import read_depth_png
from ..datasets.image_files import open_image
from ..datasets.label_images import label_path
from ..errors import ConfigError, DepthDataError
from ..geometry import (
    GroundPlaneFit,
    fit_ground_depth,
    fit_ground_motion,
    fit_ground_points,
    fit_vanishing_point,
    smooth_planes,
)
from ..geometry.road_surface import nearest_prior
from ..geometry.scene_classes import ROAD, SKY, THINGS

FITS = ('lidar', 'depth', 'motion', 'vanishing-point')


@dataclass(frozen=True)
class PlaneFitting:
    """Fits of the ground plane, one after the other, each with the last one as its prior.

    Args:
        fits: among `FITS`; none for the calibration alone. 'motion' is the first, as its prior is
            that of the plane below the vehicle.
        root: folder of the images.
        depth: folder with the depth PNGs (KITTI's format) of a depth network, which mirrors the
            images, for 'depth'.
        gaps: distances in frames to the images used by 'motion', before and after; fits of frames
            within the largest of them are not independent.

    Raises:
        ConfigError: an unknown fit, 'depth' without a folder, or 'motion' after another.
    """

    fits: Sequence[str]
    root: Path
    depth: Path | None = None
    gaps: Sequence[int] = (3, 6, 9, 12)

    def __post_init__(self) -> None:
        unknown = [name for name in self.fits if name not in FITS]
        if unknown or ('depth' in self.fits) != (self.depth is not None):
            raise ConfigError(
                f'expected fits among {FITS}, and a folder of depth with the fit depth only, got '
                f'{list(self.fits)} and {self.depth}'
            )

        if 'motion' in self.fits[1:]:
            raise ConfigError(f"expected the fit 'motion' before others, got {list(self.fits)}")

    def __call__(
        self, clip: Clip, index: int, labels: np.ndarray, prior: GroundPlaneFit
    ) -> GroundPlaneFit:
        """Plane of a frame of a clip.

        Args:
            clip: frames in order of time.
            index: of the frame.
            labels: (H, W) its train ids.
            prior: expected plane, that of the calibration.

        Raises:
            DepthDataError: a frame has no LiDAR for the fit 'lidar'.
        """
        frame, road, fit = clip[index], labels == ROAD, prior
        for name in self.fits:
            if name == 'lidar':
                fit = fit_ground_points(_road_points(frame, road), fit)
            elif name == 'depth':
                values = read_depth_png(label_path(self.depth, frame.image, self.root))
                fit = fit_ground_depth(values, road, frame.cam2img, fit)
            elif name == 'vanishing-point':
                fit = fit_vanishing_point(_grey(frame), road, frame.cam2img, fit)
            else:
                fit = self._motion(clip, index, labels, fit)
        return fit

    def over_time(
        self, fits: Sequence[GroundPlaneFit], nominal: Sequence[GroundPlaneFit]
    ) -> list[GroundPlaneFit]:
        """Planes of all frames of a clip, from the fits of each of them (`smooth_planes`).

        Args:
            fits: results of `__call__`.
            nominal: its priors.
        """
        if 'motion' in self.fits:
            nominal = [nearest_prior(prior) for prior in nominal]
        return smooth_planes(fits, nominal, max(self.gaps))

    def _motion(self, clip: Clip, index: int, labels, prior: GroundPlaneFit) -> GroundPlaneFit:
        frame, steps = clip[index], [sign * gap for gap in self.gaps for sign in (-1, 1)]
        others = [clip[index + step] for step in steps if 0 <= index + step < len(clip)]
        distances = None
        if frame.position is not None:
            distances = [float(np.linalg.norm(x.position - frame.position)) for x in others]
            if not np.isfinite(distances).all():
                raise DepthDataError(
                    f'{frame.image}: expected finite poses of this frame and its neighbours, got '
                    f'distances {distances} m; check the ego poses'
                )
        static = ~np.isin(labels, (*THINGS, SKY))
        images = [_grey(other) for other in others]
        road = labels == ROAD
        return fit_ground_motion(
            _grey(frame), images, road, frame.cam2img, prior, distances, static
        )


def lidar_pixels(
    frame: CalibratedFrame, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """LiDAR points in an image: rows, columns (nearest pixels) and points (N, 3), camera frame.

    Raises:
        DepthDataError: the frame has no LiDAR.
    """
    if frame.points is None:
        raise DepthDataError(
            f'{frame.image}: expected a LiDAR sweep of this frame, got none; leave the fit lidar '
            'out, or use only frames with a sweep'
        )
    points = frame.points()
    pixels = points @ frame.cam2img.T
    columns, rows = (pixels[:, :2] / pixels[:, 2:]).round().astype(int).T
    inside = (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])
    return rows[inside], columns[inside], points[inside]


def _road_points(frame: CalibratedFrame, road: np.ndarray) -> np.ndarray:
    rows, columns, points = lidar_pixels(frame, road.shape)
    return points[road[rows, columns]]


def _grey(frame: CalibratedFrame) -> np.ndarray:
    return cv2.cvtColor(np.asarray(open_image(frame.image)), cv2.COLOR_RGB2GRAY)
