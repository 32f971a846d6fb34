"""The toy root, read by the unmodified nuScenes devkit."""

import json
import os

import numpy as np
import pytest
from nuscenes.eval.detection.config import config_factory
from nuscenes.eval.detection.evaluate import NuScenesEval
from nuscenes.eval.detection.utils import category_to_detection_name
from nuscenes.nuscenes import NuScenes
from nuscenes.utils.data_classes import LidarPointCloud
from nuscenes.utils.geometry_utils import points_in_box
from nuscenes.utils.splits import mini_train, mini_val

from hybrid_depth.datasets.depth_map_files import read_depth_png
from hybrid_depth.datasets.label_images import label_path
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.toy_world import open_toy_world, rig
from hybrid_depth.toy_world.camera import depth_map, render_view
from hybrid_depth.toy_world.nuscenes_layout import DEPTH
from hybrid_depth.toy_world.nuscenes_tables import VISIBILITY_LEVELS
from hybrid_depth.toy_world.world import KEYFRAME_SECONDS


@pytest.fixture(scope='module')
def nusc(toy_nuscenes) -> NuScenes:
    return NuScenes('v1.0-mini', str(toy_nuscenes), verbose=False)


def class_of(nusc, annotation) -> str:
    return category_to_detection_name(annotation['category_name'])


def test_tables_and_files(nusc):
    names = [scene['name'] for scene in nusc.scene]
    assert names[0] in mini_train and names[1] in mini_val
    assert len(nusc.sample) == 4 and len(nusc.sample_data) == len(nusc.ego_pose) == 4 * 7
    assert all(os.path.getsize(nusc.get_sample_data_path(row['token'])) for row in nusc.sample_data)
    boxes = {class_of(nusc, annotation) for annotation in nusc.sample_annotation}
    assert boxes == set(config_factory('detection_cvpr_2019').class_names)
    seen = {
        class_of(nusc, annotation)
        for annotation in nusc.sample_annotation
        if annotation['num_lidar_pts']
    }
    assert seen == boxes
    for scene in nusc.scene:
        sample = nusc.get('sample', scene['first_sample_token'])
        after = nusc.get('sample', sample['next'])
        assert after['prev'] == sample['token'] and after['next'] == ''
        assert after['timestamp'] - sample['timestamp'] == 500_000


def test_readings_of_a_sensor_are_linked_in_time(nusc):
    after = {row['token']: row['next'] for row in nusc.sample_data if row['next']}
    assert len(after) == len(nusc.sample_data) - 2 * 7  # two scenes of seven sensors
    for token, following in after.items():
        row, later = (nusc.get('sample_data', name) for name in (token, following))
        assert later['prev'] == token and later['timestamp'] > row['timestamp']
        assert later['channel'] == row['channel']


def test_instances_are_linked(nusc):
    assert any(instance['nbr_annotations'] == 2 for instance in nusc.instance)
    for instance in nusc.instance:
        token, chain = instance['first_annotation_token'], []
        while token:
            chain.append(nusc.get('sample_annotation', token))
            token = chain[-1]['next']
        assert len(chain) == instance['nbr_annotations']
        assert chain[-1]['token'] == instance['last_annotation_token']
        assert {annotation['instance_token'] for annotation in chain} == {instance['token']}


def test_lidar_point_counts_equal_a_recount(nusc):
    for sample in nusc.sample[::2]:
        path, boxes, _ = nusc.get_sample_data(sample['data']['LIDAR_TOP'])
        points = LidarPointCloud.from_file(path).points[:3].astype(float)
        assert points.shape[1] > 20_000
        assert len(boxes) > 40  # plausible number of objects
        for box in boxes:
            annotated = nusc.get('sample_annotation', box.token)['num_lidar_pts']
            assert points_in_box(box, points).sum() == annotated


def test_visibility_equals_a_recount(nusc, toy_nuscenes):
    """All six cameras of a keyframe counted again; annotations are matched by position."""
    _, world = open_toy_world(toy_nuscenes)
    scene, sample = world.scene(0), nusc.sample[0]
    images = []
    for camera in rig.CAMERAS:
        time = camera.delay * 1e-6
        cam2world = scene.ego2world(time) @ camera.sensor2ego()
        images.append(render_view(scene, cam2world, camera.cam2img(world.size), world.size, time))
    covered = np.sum([image.covered for image in images], 0)
    share = np.sum([image.visible for image in images], 0) / np.maximum(covered, 1)
    centres = scene.boxes(0).centre
    levels = []
    for token in sample['anns']:
        annotation = nusc.get('sample_annotation', token)
        away = np.abs(centres - annotation['translation']).max(1)
        assert away.min() < 1e-9
        level = nusc.get('visibility', annotation['visibility_token'])['level']
        low, high = (int(end) / 100 for end in level.removeprefix('v').split('-'))
        assert low <= share[away.argmin()] <= high
        levels.append(level)
    assert set(levels) == set(VISIBILITY_LEVELS), 'the keyframe should hold all four levels'


def test_velocity_equals_the_motion(nusc, toy_nuscenes):
    """The devkit's difference of two keyframes against the mean of the true velocities there."""
    _, world = open_toy_world(toy_nuscenes)
    scene = world.scene(0)
    boxes = [scene.boxes(frame * KEYFRAME_SECONDS) for frame in range(2)]
    speeds = []
    for token in nusc.sample[0]['anns']:
        annotation = nusc.get('sample_annotation', token)
        if not annotation['next']:
            continue
        k = np.abs(boxes[0].centre - annotation['translation']).max(1).argmin()
        true = (boxes[0].velocity[k] + boxes[1].velocity[k]) / 2
        speeds.append(np.hypot(*true))
        # error of the trapezoid rule in the sharpest bend, inner lane: T² / 12 * v³ / R²
        bound = KEYFRAME_SECONDS**2 / 12 * speeds[-1] ** 3 / 42.0**2
        np.testing.assert_allclose(nusc.box_velocity(token)[:2], true, atol=0.002 + bound)
    assert min(speeds) == 0 and max(speeds) > 3


def detections_of(nusc, sample) -> list[dict]:
    """The ground truth as detections."""
    annotations = [nusc.get('sample_annotation', token) for token in sample['anns']]
    return [
        dict(
            sample_token=sample['token'],
            translation=annotation['translation'],
            size=annotation['size'],
            rotation=annotation['rotation'],
            velocity=nusc.box_velocity(annotation['token'])[:2].tolist(),
            detection_name=class_of(nusc, annotation),
            detection_score=1.0,
            attribute_name=''.join(
                nusc.get('attribute', token)['name'] for token in annotation['attribute_tokens']
            ),
        )
        for annotation in annotations
        if annotation['num_lidar_pts']
    ]


def test_devkit_evaluates_the_truth_as_perfect(nusc, tmp_path):
    scene = next(scene for scene in nusc.scene if scene['name'] in mini_val)
    samples = [sample for sample in nusc.sample if sample['scene_token'] == scene['token']]
    results = {sample['token']: detections_of(nusc, sample) for sample in samples}
    path = tmp_path / 'results.json'
    path.write_text(json.dumps(dict(meta=dict(use_camera=True), results=results)))
    config = config_factory('detection_cvpr_2019')
    judge = NuScenesEval(nusc, config, str(path), 'mini_val', str(tmp_path), verbose=False)
    metrics, _ = judge.evaluate()
    there = {box.detection_name for box in judge.gt_boxes.all}
    assert len(there) >= 7
    figures = metrics.serialize()
    for name in there:
        assert figures['mean_dist_aps'][name] == pytest.approx(1)
        errors = list(figures['label_tp_errors'][name].values())
        assert np.nanmax(errors) < 1e-3  # NaN: cones have no heading, barriers no velocity


def test_devkit_renders(nusc, tmp_path):
    sample = nusc.sample[0]
    log = nusc.get('log', nusc.scene[0]['log_token'])
    data, paths = sample['data'], [tmp_path / f'{k}.png' for k in range(4)]
    nusc.render_sample_data(data['CAM_FRONT'], out_path=str(paths[0]), verbose=False)
    lidar = dict(underlay_map=False)  # with it, devkit 1.2.0 needs numpy below 2.4
    nusc.render_sample_data(data['LIDAR_TOP'], out_path=str(paths[1]), verbose=False, **lidar)
    visible = next(
        token
        for token in sample['anns']
        if nusc.get('sample_annotation', token)['visibility_token'] == '4'
    )
    nusc.render_annotation(visible, out_path=str(paths[2]))
    nusc.render_egoposes_on_map(log['location'], out_path=str(paths[3]))
    assert all(path.stat().st_size > 1000 for path in paths)


def test_infos(toy_nuscenes, tmp_path):
    create_nuscenes_infos(toy_nuscenes, 'v1.0-mini', out=tmp_path)
    assert all((tmp_path / f'nuscenes_infos_{part}.pkl').is_file() for part in ('train', 'val'))


def test_true_depth_of_every_image(toy_nuscenes, nusc):
    """Equal to the ray-cast depth of the same camera at the same time."""
    world = open_toy_world(toy_nuscenes)[1]
    camera, frame = rig.CAMERAS[1], 1
    time = frame * KEYFRAME_SECONDS + camera.delay * 1e-6
    scene = world.scene(0)
    view = (scene.ego2world(time) @ camera.sensor2ego(), camera.cam2img(world.size))
    expected = depth_map(scene, *view, world.size, time)
    sample = nusc.get('sample', nusc.get('sample', nusc.scene[0]['first_sample_token'])['next'])
    image = nusc.get_sample_data_path(sample['data'][camera.channel])
    found = read_depth_png(label_path(toy_nuscenes / DEPTH, image, toy_nuscenes))
    sky = np.isinf(expected)
    assert sky.any() and (found[sky] == 0).all()
    np.testing.assert_allclose(found[~sky], expected[~sky], atol=1 / 256)
    assert len(list((toy_nuscenes / DEPTH).rglob('*.png'))) == 4 * 6
