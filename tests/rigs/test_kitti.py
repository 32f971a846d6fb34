"""A KITTI raw tree as an own vehicle, against the simulator that wrote it."""

import pickle

import numpy as np

from hybrid_depth.rigs.importer import import_rig
from hybrid_depth.toy_world import open_toy_world
from hybrid_depth.toy_world.kitti_layout import drive
from hybrid_depth.toy_world.kitti_rig import FRAME_SECONDS, cam2ego
from tests.borders.refusal import refused


def test_cameras_motion_and_lidar(toy_kitti, tmp_path):
    (tmp_path / 'rig.yaml').write_text(f'kitti: {toy_kitti}\nval: [{drive(1)}]\n')
    train, val = import_rig(tmp_path / 'rig.yaml')
    assert (train.samples, val.samples) == (5, 5)
    content = pickle.loads(train.path.read_bytes())
    assert content['metainfo']['has_lidar'] and content['metainfo']['has_poses']
    infos = content['data_list']
    _, world = open_toy_world(toy_kitti)
    scene = world.scene(0)
    for camera, number in (('image_02', 2), ('image_03', 3)):
        for frame, info in enumerate(infos):
            image = info['images'][camera]
            found = np.array(image['ego2global']) @ np.array(image['cam2ego'])
            first = infos[0]['images'][camera]
            start = np.array(first['ego2global']) @ np.array(first['cam2ego'])
            ego2world = [scene.ego2world(f * FRAME_SECONDS) for f in (0, frame)]
            truth = [pose @ cam2ego(number) for pose in ego2world]
            motion = np.linalg.inv(start) @ found
            assert np.allclose(motion, np.linalg.inv(truth[0]) @ truth[1], atol=2e-3)
            assert abs(image['cam2ego'][2][3] - 1.65) < 0.05
    entry = infos[0]['lidar_points']
    points = np.fromfile(tmp_path / entry['lidar_path'], np.float32).reshape(-1, 4)
    near = points[np.hypot(*points[:, :2].T) < 8]
    assert abs(np.percentile(near[:, 2], 30)) < 0.2  # the road


def test_mistakes(toy_kitti, tmp_path):
    path = tmp_path / 'rig.yaml'
    path.write_text(f'kitti: {toy_kitti}\nval: [tour]\n')
    with refused('val', 'drive_0001', 'got tour'):
        import_rig(path)
    path.write_text(f'kitti: {toy_kitti}\nposes: poses.txt\n')
    with refused('kitti', 'poses'):
        import_rig(path)
