import numpy as np
import pytest

from hybrid_depth.toy_world import rig
from hybrid_depth.toy_world.camera import SIGHT, depth_map, render_view
from hybrid_depth.toy_world.lidar import sweep
from hybrid_depth.toy_world.raycast import cast
from hybrid_depth.toy_world.rays import pinhole
from hybrid_depth.toy_world.world import World

from .planar import depth_between_pixels

SIZE = (320, 180)


@pytest.fixture(scope='module')
def scene():
    return World(2, 1, SIZE, seed=1).scene(0)


@pytest.mark.parametrize('camera', rig.CAMERAS[1::2], ids=lambda camera: camera.channel)
def test_camera_depth_and_lidar_agree_within_a_centimetre(scene, camera):
    ego2world = scene.ego2world(0)
    lidar2world = ego2world @ rig.LIDAR.sensor2ego()
    points, ring = sweep(
        scene, lidar2world, 0, rig.LIDAR_ELEVATIONS, rig.LIDAR_AZIMUTH_STEPS, rig.LIDAR_RANGE
    )
    assert ring.min() == 0 and ring.max() == 31
    world = points[:, :3].astype(float) @ lidar2world[:3, :3].T + lidar2world[:3, 3]

    cam2world, cam2img = ego2world @ camera.sensor2ego(), camera.cam2img(SIZE)
    depth = depth_map(scene, cam2world, cam2img, SIZE, 0)
    local = (world - cam2world[:3, 3]) @ cam2world[:3, :3]
    local = local[local[:, 2] > 0.3]
    pixels = (local @ cam2img.T)[:, :2] / local[:, 2:]
    away = depth_between_pixels(depth, pixels, 1e-9) - local[:, 2]
    away = away[np.isfinite(away)]
    assert len(away) > 2000
    # LiDAR points may be occluded in the camera, whose depth is then smaller.
    assert (np.abs(away) < 0.01).mean() > 0.9
    # Larger only for objects thinner than a pixel between the pixel centres.
    assert (away > 0.01).mean() < 0.002


def test_intrinsics_scale_with_the_image():
    """A direction has the same relative image position at any size."""
    camera = rig.CAMERAS[1]
    point = np.array([0.3, -0.2, 1.0])
    shares = [
        ((camera.cam2img(size) @ point)[:2] + 0.5) / size for size in ((1600, 900), (400, 225))
    ]
    np.testing.assert_allclose(*shares, rtol=1e-12)
    np.testing.assert_allclose(camera.cam2img((1600, 900))[0, 2], camera.centre[0])


def test_pixels_are_the_mean_of_their_rays(scene):
    """Of an image of twice the size; single precision sends few rays past another edge."""
    camera = rig.CAMERAS[1]
    pose = scene.ego2world(0) @ camera.sensor2ego()
    small, large = (80, 45), (160, 90)
    image = render_view(scene, pose, camera.cam2img(small), small, 0, samples=2).image
    rays = render_view(scene, pose, camera.cam2img(large), large, 0, samples=1).image
    mean = rays.reshape(45, 2, 80, 2, 3).mean((1, 3))
    assert (np.abs(image - mean) > 1).mean() < 0.002


def test_returns_are_within_the_reach_of_the_sensor(scene):
    lidar2world = scene.ego2world(0) @ rig.LIDAR.sensor2ego()
    elevations = rig.LIDAR_ELEVATIONS[::4]

    def ranges(*reach: float) -> np.ndarray:
        points, _ = sweep(scene, lidar2world, 0, elevations, 180, reach)
        return np.linalg.norm(points[:, :3], axis=1)

    everything, some = ranges(0, 40), ranges(8, 20)
    between = (everything > 8.001) & (everything < 19.999)
    assert 100 < between.sum() < 0.9 * len(everything)
    assert some.min() > 7.999 and some.max() < 20.001
    assert 0 <= len(some) - between.sum() <= 2


def test_what_is_seen_is_what_a_recount_sees(scene):
    """Rays that meet an actor alone, and those of them that end on it among everything else."""
    camera = rig.CAMERAS[1]
    cam2world, cam2img = scene.ego2world(0) @ camera.sensor2ego(), camera.cam2img(SIZE)
    rendered = render_view(scene, cam2world, cam2img, SIZE, 0, samples=1)
    grid = pinhole(cam2world, cam2img, SIZE, np.float64)
    parts = scene.parts(0, grid.origin[:2], SIGHT)
    whole = cast(grid, parts, len(scene.actors)).distance
    shown = np.flatnonzero(rendered.covered > 100)  # also far ones, as near ones are not occluded
    assert len(shown) > 5 and (rendered.visible <= rendered.covered).all()
    hidden = 0
    for k in shown:
        alone = cast(grid, parts.take(parts.actor == k), len(scene.actors))
        mine = alone.part >= 0
        seen = mine & (whole >= alone.distance)
        # images are cast in single precision: a ray along an edge may go either way
        assert abs(mine.sum() - rendered.covered[k]) <= 2 + 0.01 * mine.sum()
        assert abs(seen.sum() - rendered.visible[k]) <= 2 + 0.01 * mine.sum()
        hidden += seen.sum() < 0.8 * mine.sum()
    assert hidden > 2, 'the test needs actors that are partly hidden'
