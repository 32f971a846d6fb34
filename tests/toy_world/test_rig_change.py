import json

import numpy as np
import pytest

from hybrid_depth.datasets.depth_map_files import read_depth_png
from hybrid_depth.datasets.kitti.calibration import KittiCalibration
from hybrid_depth.datasets.kitti.velodyne import read_velodyne
from hybrid_depth.datasets.poses import quaternion_to_matrix
from hybrid_depth.toy_world import kitti_layout, kitti_rig, make_toy_world, open_toy_world, rig
from hybrid_depth.toy_world.camera import depth_map
from hybrid_depth.toy_world.rig_change import NO_CHANGE, RigChange
from hybrid_depth.toy_world.world import World
from hybrid_depth.visualization import project_points
from tests.tools.run import run_tool

CHANGE = RigChange(height=0.5, pitch=4.0, focal=1.25)


def test_no_change_is_the_rig_itself():
    assert rig.cameras(NO_CHANGE) == rig.CAMERAS


@pytest.mark.parametrize('place', range(6))
def test_cameras_are_raised_tilted_and_longer(place):
    before, after = rig.CAMERAS[place], rig.cameras(CHANGE)[place]
    pose, changed = before.sensor2ego(), after.sensor2ego()
    assert np.allclose(changed[:3, 3] - pose[:3, 3], (0, 0, 0.5))
    assert np.allclose(changed, CHANGE.cam2ego(pose))  # the quaternion and the matrix
    assert np.allclose(quaternion_to_matrix(after.rotation), changed[:3, :3])
    down = np.degrees(np.arcsin(pose[2, 2]) - np.arcsin(changed[2, 2]))  # of the optical axis
    assert down == pytest.approx(4, abs=0.05) and np.allclose(changed[:3, 0], pose[:3, 0])
    assert after.cam2img((400, 225)) == pytest.approx(CHANGE.cam2img(before.cam2img((400, 225))))
    assert after.cam2img((400, 225))[0, 0] == 1.25 * before.cam2img((400, 225))[0, 0]
    assert after.cam2img((400, 225))[0, 2] == before.cam2img((400, 225))[0, 2]


def test_the_ground_is_where_the_changed_calibration_puts_it():
    """Depth of the rays to the ground plane, in an image of the changed camera."""
    world = World(2, 1, (160, 90), seed=1, rig=CHANGE)
    scene, camera = world.scene(0), rig.cameras(CHANGE)[1]
    cam2ego, cam2img = camera.sensor2ego(), camera.cam2img(world.size)
    depth = depth_map(scene, scene.ego2world(0) @ cam2ego, cam2img, world.size, 0)
    v, u = np.mgrid[:90, :160]
    rays = np.stack([u, v, np.ones_like(u)], -1) @ np.linalg.inv(cam2img).T
    down = (rays @ cam2ego[:3, :3].T)[..., 2]
    plane = np.where(down < 0, -cam2ego[2, 3] / np.minimum(down, -1e-9), np.inf)
    on_ground = np.abs(depth / plane - 1) < 1e-6
    assert on_ground[-10:].mean() > 0.5 and cam2ego[2, 3] > 2


def test_nuscenes_tables_hold_the_changed_calibration(tmp_path):
    size = dict(scenes=2, keyframes=1, size=(64, 36), workers=1)
    roots = [
        make_toy_world(tmp_path / name, **size, rig=change)
        for name, change in (('same', NO_CHANGE), ('changed', CHANGE))
    ]
    sensors = [
        json.loads((root / 'v1.0-mini' / 'calibrated_sensor.json').read_text()) for root in roots
    ]
    for before, after in zip(*sensors, strict=True):
        raised = np.subtract(after['translation'], before['translation'])
        assert raised == pytest.approx((0, 0, 0.5 * bool(before['camera_intrinsic'])))
    boxes, others = (
        json.loads((root / 'v1.0-mini' / 'sample_annotation.json').read_text()) for root in roots
    )
    assert [row['translation'] for row in boxes] == [row['translation'] for row in others]
    images = [sorted((root / 'samples' / 'CAM_FRONT').iterdir())[0].read_bytes() for root in roots]
    assert images[0] != images[1]
    assert open_toy_world(roots[1])[1].rig == CHANGE


def test_kitti_calibration_maps_the_sweep_to_the_depth(tmp_path):
    """The changed calibration files put LiDAR points where the changed camera sees them."""
    root = make_toy_world(
        tmp_path / 'kitti', 2, 1, (160, 48), workers=1, layout='kitti', rig=CHANGE
    )
    world = open_toy_world(root)[1]
    calibration = KittiCalibration.from_folder(root / kitti_layout.DAY)
    expected = (
        kitti_rig.cam2img(world.size, CHANGE)
        @ (np.linalg.inv(kitti_rig.cam2ego(2, CHANGE)) @ kitti_rig.VELO2EGO)[:3]
    )
    assert calibration.velo_to_image(2) == pytest.approx(expected, abs=1e-6)
    drive = root / kitti_layout.drive(1)
    points = read_velodyne(drive / 'velodyne_points' / 'data' / f'{0:010d}.bin')[:, :3]
    depth = read_depth_png(root / kitti_layout.depth_folder(world, 1, 'l') / f'{0:010d}.png')
    pixels, distance = project_points(points, calibration.velo_to_image(2))
    u, v = np.round(pixels).astype(int).T
    seen = (distance > 1) & (u >= 0) & (v >= 0) & (u < 160) & (v < 48)
    ratio = depth[v[seen], u[seen]] / distance[seen]
    assert seen.sum() > 1000 and (np.abs(ratio - 1) < 0.05).mean() > 0.8


def test_out_of_range(tmp_path):
    for wrong in (dict(height=-1.4), dict(pitch=60), dict(focal=0), dict(height=np.nan)):
        with pytest.raises(ValueError, match='expected'):
            RigChange(**wrong)
    error = run_tool('make_toy_world.py', tmp_path / 'out', '--camera-focal', 0)
    assert error == 'error: expected a factor of the focal length of 0.25 to 4, got 0'
