"""Fits of the plane on a real drive, against LiDAR on road that was drawn by hand."""

import cv2
import numpy as np
import pytest

from hybrid_depth.datasets.calibrated_frames import KITTI_HEIGHT, kitti_clips
from hybrid_depth.datasets.label_images import read_label_image
from hybrid_depth.errors import ConfigError, DepthDataError
from hybrid_depth.geometry import GroundPlane, GroundPlaneFit, fit_ground_points
from hybrid_depth.geometry.scene_classes import ROAD
from hybrid_depth.inference.plane_fitting import PlaneFitting, lidar_pixels

DRIVE = '2011_09_26_drive_9001_sync'


def shares(fit: GroundPlaneFit, points: np.ndarray) -> np.ndarray:
    """Shares of points whose plane depth is within 5 and 10 %, on their exact rays."""
    error = np.abs(1 / (points @ fit.inverse) - 1)
    return np.array([(error <= limit).mean() for limit in (0.05, 0.1)])


@pytest.mark.slow
@pytest.mark.parametrize('number', [0, 21, 45])
def test_fits_of_a_real_drive(real_data, number):
    """Loose: the figures are in docs/results.md, "Embodied depth"."""
    root = real_data / 'kitti_raw'
    clip = kitti_clips(root, GroundPlane.from_angles(KITTI_HEIGHT))[0]
    labels = read_label_image(real_data / f'kitti_raw_semantic/{DRIVE}/{number:010d}.png')
    rows, columns, points = lidar_pixels(clip[number], labels.shape)
    points = points[labels[rows, columns] == ROAD]
    assert len(points) > 1000
    nominal = GroundPlaneFit.from_calibration(clip[number].plane)
    near, far = shares(nominal, points)
    assert near > 0.93 and far > 0.96  # of the drive's exact pixels: 96, 98 and 94 % within 5 %
    lidar, motion = (
        PlaneFitting([name], root)(clip, number, labels, nominal) for name in ('lidar', 'motion')
    )
    # the robust fit gives up the few points far from the road that a level plane meets
    assert (shares(lidar, points) >= (near, far - 0.01)).all()
    # frame 0 has only later images and few corners: 90 % (docs/results.md, "Embodied depth")
    least = 0.85 if number == 0 else near - 0.005
    assert (shares(motion, points) >= (least, far - 0.005)).all()
    for fit in (lidar, motion):
        assert fit.used > 30
        assert abs(fit.plane.pitch.rad2deg()) < 1 and abs(fit.plane.roll.rad2deg()) < 1


def road_of_sweep(frame, nominal):
    """Road (H, W) that a sweep marks, and its points on it; a mask only, no fit reads the sweep."""
    rows, columns, points = lidar_pixels(frame, (375, 1242))
    ahead = (points[:, 2] > 4) & (points[:, 2] < 40)
    plane = fit_ground_points(points[ahead & (np.abs(points[:, 0]) < 4)], nominal).inverse
    above = 1 - points @ plane  # in heights of the camera
    marks = [np.zeros((375, 1242), np.uint8) for _ in range(2)]
    for mark, chosen in zip(marks, (np.abs(above) < 0.04, above > 0.08), strict=True):
        mark[rows[ahead & chosen], columns[ahead & chosen]] = 1
    road = cv2.morphologyEx(marks[0], cv2.MORPH_CLOSE, np.ones((25, 25), np.uint8))
    road = (road > 0) & (cv2.dilate(marks[1], np.ones((15, 9), np.uint8)) == 0)
    lane = (np.abs(points[:, 0]) < 4) & (np.abs(above) < 0.1) & ahead & (points[:, 2] < 30)
    return road, points[lane]


@pytest.mark.slow
def test_planes_of_a_real_drive_are_better_than_the_calibration(real_data):
    """Also than the fits of its frames; figures in docs/results.md, "Embodied depth"."""
    clip = kitti_clips(real_data / 'kitti_raw', GroundPlane.from_angles(KITTI_HEIGHT))[0]
    nominal = GroundPlaneFit.from_calibration(clip[0].plane)
    fitting, fits, points = PlaneFitting(['motion'], real_data / 'kitti_raw'), [], []
    for index, frame in enumerate(clip):
        if frame.points is None:
            fits.append(nominal)
            continue
        road, on_road = road_of_sweep(frame, nominal)
        points.append(on_road)
        fits.append(fitting(clip, index, np.where(road, ROAD, 255).astype(np.uint8), nominal))
    assert len(points) == 16 and len(clip) == 48
    smooth = fitting.over_time(fits, [nominal] * 48)

    def mean_share(planes):
        seen = [x for x, frame in zip(planes, clip, strict=True) if frame.points is not None]
        return np.mean([shares(*x)[0] for x in zip(seen, points, strict=True)])

    calibration, frames, drive = map(mean_share, ([nominal] * 48, fits, smooth))
    assert calibration > 0.9  # hard to beat; 95.8, 92.4 and 98.2 % when this was written
    assert drive > calibration + 0.01 and drive > frames + 0.01


def test_fits_that_lack_their_data_are_errors(toy_kitti, tmp_path):
    with pytest.raises(ConfigError, match='expected fits among'):
        PlaneFitting(['sonar'], toy_kitti)
    with pytest.raises(ConfigError, match="'motion' before others"):
        PlaneFitting(['lidar', 'motion'], toy_kitti)
    with pytest.raises(ConfigError, match='folder of depth'):
        PlaneFitting(['lidar'], toy_kitti, depth=tmp_path)
    clip = kitti_clips(toy_kitti, GroundPlane.from_angles(KITTI_HEIGHT))[0]
    blind = [type(clip[0])(clip[0].image, clip[0].cam2img, clip[0].plane)]
    labels = np.zeros((48, 160), np.uint8)
    prior = GroundPlaneFit.from_calibration(clip[0].plane)
    with pytest.raises(DepthDataError, match='LiDAR sweep'):
        PlaneFitting(['lidar'], toy_kitti)(blind, 0, labels, prior)
