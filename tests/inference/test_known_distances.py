"""Depth that a vehicle knows, of scenes made of planes."""

import numpy as np
import pytest
import torch
from PIL import Image

from hybrid_depth.datasets.calibrated_frames import CalibratedFrame
from hybrid_depth.geometry import GroundPlane, cell_pixels
from hybrid_depth.geometry.camera_motion import CameraMotion
from hybrid_depth.inference.known_distances import GroundHeight, VehicleMotion, _place

CAM2IMG = np.array([[200.0, 0, 160], [0, 200, 120], [0, 0, 1]])
SIZE = (240, 320)


def test_triangulation_is_exact():
    random = np.random.default_rng(0)
    points = random.uniform((-6, -3, 5), (6, 2, 30), (200, 3))
    angle = 0.03
    rotation = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    translation = np.array([0.8, 0.1, -1.5])
    pixels = [x @ CAM2IMG.T for x in (points, points @ rotation.T + translation)]
    pixels = [x[:, :2] / x[:, 2:] for x in pixels]
    inside = np.all([(x > 0).all(1) & (x < np.flip(SIZE) - 1).all(1) for x in pixels], 0)
    _, alone = np.unique(pixels[0].round(), axis=0, return_index=True)
    inside = np.intersect1d(np.flatnonzero(inside), alone)  # one point per pixel
    pixels = [x[inside] for x in pixels]
    metres = np.zeros(SIZE)
    _place(metres, CameraMotion(CAM2IMG, rotation, translation, tuple(pixels)))
    columns, rows = pixels[0].round().astype(int).T
    found, depth = metres[rows, columns], points[inside, 2]
    assert (found > 0).mean() > 0.5  # the others have too little parallax
    np.testing.assert_allclose(found[found > 0], depth[found > 0], rtol=1e-6)


@pytest.fixture
def sideways(tmp_path):
    """Camera that moves 0.5 m to the right, in front of walls 8 m (left) and 16 m away."""
    texture = np.random.default_rng(1).integers(0, 256, (60, 120)).astype(np.uint8)
    texture = np.asarray(Image.fromarray(texture).resize((480, 240), Image.Resampling.BICUBIC))
    clip = []
    for index in range(2):
        left, right = (round(200 * 0.5 * index / z) for z in (8, 16))
        image = np.concatenate(
            (texture[:, left : left + 160], texture[:, 300 + right :][:, :160]), 1
        )
        Image.fromarray(image).convert('RGB').save(tmp_path / f'{index}.png')
        pose = np.eye(4)
        pose[0, 3] = 0.5 * index
        clip.append(
            CalibratedFrame(tmp_path / f'{index}.png', CAM2IMG, GroundPlane.unknown(), pose)
        )
    return clip


def test_depth_of_corners_from_the_motion_of_the_vehicle(sideways):
    metres = VehicleMotion(gaps=(1,))(sideways, 0, np.ones(SIZE), None)
    for part, z in ((metres[:, :140], 8.33), (metres[:, 180:], 16.67)):  # of whole pixels
        assert (part > 0).sum() > 20
        assert np.median(part[part > 0]) == pytest.approx(z, rel=0.05)


def test_a_standing_vehicle_has_no_distances(sideways):
    standing = [CalibratedFrame(x.image, x.cam2img, x.plane, np.eye(4)) for x in sideways]
    assert not VehicleMotion()(standing, 0, np.ones(SIZE), None).any()


def test_corners_of_traffic_are_left_out(sideways):
    labels = np.full(SIZE, 13)  # car
    labels[:, 160:] = 2
    metres = VehicleMotion(gaps=(1,))(sideways, 0, np.ones(SIZE), labels)
    assert not metres[:, :150].any()


def frame_above_ground(height=1.5, pitch=0.0):
    return CalibratedFrame('none', CAM2IMG, GroundPlane.from_angles(height, pitch))


def test_ground_of_another_attitude_than_the_calibration():
    """The vehicle pitches by 0.5 degrees: the distances are those of the real plane."""
    pixels = cell_pixels(SIZE, SIZE).double()
    real = GroundPlane.from_angles(1.5, np.radians(0.5)).depth(
        pixels, torch.from_numpy(CAM2IMG), 80.0
    )
    depth = np.where(real > 0, real / 4, 30.0)
    depth[150:200, 100:150] = 1.0  # a car
    metres = GroundHeight()([frame_above_ground()], 0, depth, None)
    known = metres > 0
    assert known.sum() > 2000 and not known[160:190, 110:140].any()
    np.testing.assert_allclose(metres[known], real.numpy()[known], rtol=0.01)


def test_depth_that_is_no_plane_has_no_ground():
    depth = np.random.default_rng(0).uniform(1, 9, SIZE)
    assert not GroundHeight()([frame_above_ground()], 0, depth, None).any()
