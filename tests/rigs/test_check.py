"""Faults planted into a right vehicle: the check that names them, and none without."""

import pickle

import numpy as np
import pytest

from hybrid_depth.rigs.check import check_infos
from hybrid_depth.rigs.drawing import draw_camera, write_drawings
from hybrid_depth.rigs.importer import import_rig
from hybrid_depth.rigs.mounting import rpy_to_matrix
from hybrid_depth.rigs.views import RigData
from hybrid_depth.toy_world import make_toy_world
from tests.borders.refusal import refused


@pytest.fixture(scope='module')
def vehicle(tmp_path_factory):
    """A drive with enough key frames for the flow of its images."""
    out = tmp_path_factory.mktemp('check') / 'rig'
    make_toy_world(out, 2, 4, (240, 160), workers=1, layout='rig')
    return import_rig(out / 'rig.yaml')[0].path


def faults(path):
    return {found.check: found.text for found in check_infos(path) if found.state == 'fault'}


def test_a_right_vehicle_has_no_fault(vehicle):
    found = {finding.check: finding for finding in check_infos(vehicle)}
    assert {name for name, f in found.items() if f.state == 'fault'} == set()
    assert {name for name, f in found.items() if f.state == 'skipped'} == {'LiDAR'}
    assert '75x' in found['camera nose'].text and 'height 0.90 m' in found['camera nose'].text
    assert 'pitch 6.0 down, heading 80 left' in found['camera left'].text
    assert 'nose-left 10' in found['layout'].text
    assert 'motion within 0' in found['vehicle axes'].text


def turned(angle, *names):
    def edit(info):
        turn = np.eye(4)
        turn[:3, :3] = rpy_to_matrix(angle)
        for name in names:
            image = info['images'][name]
            cam2ego = np.array(image['cam2ego'])
            moved = cam2ego.copy()
            moved[:3, :3] = turn[:3, :3] @ cam2ego[:3, :3]
            image['cam2ego'] = moved.tolist()
            change = np.linalg.inv(moved) @ cam2ego
            image['lidar2cam'] = (change @ np.array(image['lidar2cam'])).tolist()

    return edit


def rolled(info):
    """Axes of ROS given as those of the camera: the image is on its side."""
    image = info['images']['left']
    roll = np.eye(4)
    roll[:2, :2] = [[0, -1], [1, 0]]
    image['cam2ego'] = (np.array(image['cam2ego']) @ roll).tolist()
    image['lidar2cam'] = (roll.T @ np.array(image['lidar2cam'])).tolist()


def mirrored(info):
    """y to the right: left and right cameras are exchanged."""
    images = info['images']
    for key in ('cam2ego', 'lidar2cam', 'ego2global'):
        images['left'][key], images['right'][key] = images['right'][key], images['left'][key]


def sideways(info):
    turn = np.eye(4)
    turn[:3, :3] = rpy_to_matrix([0, 0, 90])
    info['ego2global'] = (np.array(info['ego2global']) @ turn).tolist()


def stretched(info):
    image = info['images']['tail']
    image['cam2img'][1][1] *= 1.5


def elsewhere(info):
    """Boxes in the world, taken for ones around the vehicle."""
    for item in info['instances']:
        item['bbox_3d'][0] += 300


def raised(info):
    for item in info['instances']:
        item['bbox_3d'][2] += 5


def late(info):
    info['images']['right']['timestamp'] += 0.4


def backwards(info):
    for item in info['instances']:
        item['bbox_3d'][6] += np.pi / 2


def sunken(info):
    info['images']['nose']['cam2ego'][2][3] = 900.0


def moved_away(info):
    info['images']['tail']['img_path'] += '.moved'


PLANTED = {
    'heading of left': (turned([0, 0, 45], 'left'), ('heading of left',), 'turned by -45'),
    'heading of nose': (turned([0, 0, -45], 'nose'), ('heading of nose',), 'turned by 45'),
    'roll': (rolled, ('camera left',), 'about 90 degrees'),
    'exchanged': (mirrored, ('layout',), 'left-handed'),
    'sideways': (sideways, ('vehicle axes',), 'towards -90 degrees'),
    'stretched': (stretched, ('camera tail',), 'width and height swapped'),
    'boxes elsewhere': (elsewhere, ('boxes',), 'vehicle or world'),
    'raised boxes': (raised, ('boxes',), 'z is that of the centre'),
    'late': (late, ('times',), 'right 0.4'),
    'box yaw': (backwards, ('box headings',), '90'),
    'height': (sunken, ('camera nose',), '900'),
    'images': (moved_away, ('images',), '4 missing'),
}


@pytest.mark.parametrize('name', sorted(PLANTED))
def test_planted_faults_are_named(name, vehicle):
    edit, expected, words = PLANTED[name]
    content = pickle.loads(vehicle.read_bytes())
    for info in content['data_list']:
        edit(info)
    path = vehicle.with_name('planted.pkl')
    path.write_bytes(pickle.dumps(content))
    found = faults(path)
    assert set(expected) <= found.keys()
    assert words in found[expected[0]]
    if name.startswith(('heading', 'late', 'stretched', 'box', 'images', 'height')):
        assert found.keys() == set(expected)


def test_drawings(vehicle, tmp_path):
    """Lines of the grid are where the ground is: none above the horizon of a level camera."""
    written = write_drawings(vehicle, tmp_path / 'out')
    assert [path.stem for path in written] == ['nose', 'left', 'right', 'tail', 'from_above']
    assert all(path.is_file() for path in written)
    data = RigData(vehicle)
    sample = data.sample(0)
    image = sample.views[0].image()
    drawn = draw_camera(sample, 0, None, data.classes)
    changed = (drawn.astype(int) != image).any(2)
    horizon = image.shape[0] // 2
    assert changed[horizon + 8 :].any() and changed[horizon].mean() > 0.9
    with refused('0 to 3', 'got 7'):
        write_drawings(vehicle, tmp_path, index=7)


def test_info_files_that_are_none(tmp_path, vehicle):
    content = pickle.loads(vehicle.read_bytes())
    del content['data_list'][0]['images']['left']['cam2ego']
    path = vehicle.with_name('damaged.pkl')
    path.write_bytes(pickle.dumps(content))
    found = faults(path)
    assert 'sample 0' in found['layout'] and "'cam2ego'" in found['layout']
    path.write_bytes(pickle.dumps(dict(metainfo={}, data_list=[])))
    with refused('expected samples'):
        list(check_infos(path))


def test_the_ground_of_a_real_sweep(real_data, tmp_path):
    path = tmp_path / 'rig.yaml'
    path.write_text(f'root: {real_data}/ddad_scene\ndgp: scene_dataset_v1.0.json\n')
    import_rig(path)
    found = {f.check: f for f in check_infos(tmp_path / 'rig_infos_train.pkl')}
    assert not [f for f in found.values() if f.state == 'fault']
    assert '100% with LiDAR points' in found['boxes'].text and found['LiDAR'].state == 'ok'
    path.write_text(path.read_text() + 'ground: 0.9\n')  # a wrong one
    import_rig(path)
    assert '-1.03 more' in faults(tmp_path / 'rig_infos_train.pkl')['LiDAR']
