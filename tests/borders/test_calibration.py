"""Damaged and odd calibration in every kind of file that holds it."""

import copy
import json
import pickle

import numpy as np
import pytest
from PIL import Image

from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.bev.transforms.lidar_depth import load_sweep
from hybrid_depth.bev.transforms.load_images import LoadMultiViewImages
from hybrid_depth.datasets.kitti.velodyne import read_velodyne
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.datasets.nuscenes.video import NuScenesVideoDataset
from tests.borders.refusal import refused
from tests.datasets.fake_nuscenes import write_fake_nuscenes
from tests.datasets.roots import fake_root

NAN = float('nan')
TRAIN = 'nuscenes_infos_train.pkl'
IDENTITY = np.eye(4).tolist()


def put(*path_and_value):
    """Edit that sets a value below a path of keys."""
    *path, last, value = path_and_value

    def edit(node):
        for key in path:
            node = node[key]
        node[last] = value

    return edit


def multiply(*path_and_factor):
    *path, factor = path_and_factor

    def edit(node):
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = (np.array(node[path[-1]], dtype=float) * factor).tolist()

    return edit


# ------------------------------------------------------------------------------------ info files

CAM, BACK = ('images', 'CAM_FRONT'), ('images', 'CAM_BACK')
HALF = [[0.5] * 3, [0.5] * 3, [1.0] * 3]
INFOS = {
    'NaN intrinsics': (put(*CAM, 'cam2img', [[NAN] * 3] * 3), 'CAM_FRONT'),
    'one NaN': (put(*BACK, 'cam2img', 1, 1, NAN), 'CAM_BACK'),
    'zero intrinsics': (multiply(*CAM, 'cam2img', 0), 'CAM_FRONT'),
    'negative focal length': (put(*CAM, 'cam2img', 0, 0, -25), 'CAM_FRONT'),
    'infinite': (put(*CAM, 'cam2img', 0, 0, float('inf')), 'CAM_FRONT'),
    'no intrinsics': (put(*CAM, 'cam2img', None), 'CAM_FRONT'),
    '4 x 4 intrinsics': (put(*CAM, 'cam2img', IDENTITY), 'CAM_FRONT'),
    'text': (put(*CAM, 'cam2img', 'K'), 'CAM_FRONT'),
    'of half the size': (multiply(*CAM, 'cam2img', HALF), 'another size'),
    'of 50 times the size': (
        multiply(*CAM, 'cam2img', [[50.0] * 3, [50.0] * 3, [1.0] * 3]),
        'CAM_',
    ),
    'of an image of another size': (put(*CAM, 'width', 1600), 'another size'),
    'zero rotation': (multiply(*CAM, 'lidar2cam', 0), 'CAM_FRONT, lidar2cam'),
    'scaled by 1000': (multiply(*CAM, 'lidar2cam', 1000), 'CAM_FRONT, lidar2cam'),
    'scaled by 1.02': (multiply(*BACK, 'lidar2cam', 1.02), 'CAM_BACK, lidar2cam'),
    'NaN pose of a camera': (put(*CAM, 'lidar2cam', 0, 3, NAN), 'CAM_FRONT, lidar2cam'),
    'mirrored camera': (
        multiply(*CAM, 'lidar2cam', [[-1.0] * 4, [1.0] * 4, [1.0] * 4, [1.0] * 4]),
        'mirror',
    ),
    '3 x 4 pose': (put(*CAM, 'lidar2cam', IDENTITY[:3]), 'shape'),
    'NaN vehicle': (put('ego2global', 0, 3, NAN), 'ego2global'),
    'zero vehicle': (multiply('ego2global', 0), 'ego2global'),
    'vehicle scaled': (multiply('ego2global', 0.5), 'ego2global'),
    'vehicle without a pose': (put('ego2global', None), 'ego2global'),
    'NaN LiDAR': (put('lidar_points', 'lidar2ego', 1, 1, NAN), 'lidar2ego'),
    'zero LiDAR': (multiply('lidar_points', 'lidar2ego', 0), 'lidar2ego'),
    'LiDAR of text': (put('lidar_points', 'lidar2ego', 'top'), 'lidar2ego'),
    'no lidar2cam': (
        lambda info: info['images']['CAM_BACK'].pop('lidar2cam'),
        'CAM_BACK.lidar2cam',
    ),
    'no image': (lambda info: info['images']['CAM_BACK'].pop('img_path'), 'CAM_BACK.img_path'),
    'NaN time': (put('timestamp', NAN), 'timestamp'),
    'time of text': (put('timestamp', 'noon'), 'timestamp'),
    'no time': (put('timestamp', None), 'timestamp'),
    'token of a number': (put('prev', 3), 'prev'),
    'scene of a number': (put('scene_token', 3), 'scene_token'),
    'boxes of 6 numbers': (put('instances', 0, 'bbox_3d', [1.0] * 6), 'bbox_3d'),
    'boxes of text': (put('instances', 0, 'bbox_3d', ['a'] * 7), 'bbox_3d'),
    'no box': (put('instances', 0, 'bbox_3d', None), 'bbox_3d'),
    'velocity of a number': (put('instances', 0, 'velocity', 3.0), 'velocity'),
}


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return fake_root(tmp_path_factory.mktemp('borders'))


@pytest.fixture(scope='module')
def infos(root):
    return (root / TRAIN).read_bytes()


def read(root, infos, tmp_path, edit, sample=4):
    """The data set of an info file in which one sample, not the first, is edited."""
    content = pickle.loads(infos)
    edit(content['data_list'][sample])
    path = tmp_path / 'edited.pkl'
    path.write_bytes(pickle.dumps(content))
    dataset = NuScenesBEVDataset(data_root=str(root), ann_file=str(path))
    dataset.full_init()
    return dataset


@pytest.mark.parametrize('case', INFOS)
def test_info_files(root, infos, tmp_path, case):
    edit, word = INFOS[case]
    with refused('edited.pkl', 'scene-0553-1', word):
        read(root, infos, tmp_path, edit)


BOXES = {
    'NaN': [NAN] * 7,
    'NaN yaw': [5, 0, 0, 4, 2, 1.5, NAN],
    'zero size': [5, 0, 0, 4, 0, 1.5, 0],
    'negative size': [5, 0, 0, -4, 2, 1.5, 0],
    'infinite': [5, 0, 0, float('inf'), 2, 1.5, 0],
    'no size': [5, 0, 0, 0, 0, 0, 0],
}


@pytest.mark.parametrize('case', BOXES)
def test_boxes_of_info_files_are_dropped_and_counted(root, infos, tmp_path, case, caplog):
    dataset = read(root, infos, tmp_path, put('instances', 0, 'bbox_3d', BOXES[case]))
    assert dataset.get_data_info(4)['ann_info']['gt_labels_3d'].tolist() == [8]
    said = dataset._checks.summary()
    assert 'edited.pkl: dropped 1 boxes' in said and 'first in sample scene-0553-1' in said


@pytest.mark.parametrize('velocity', [[NAN, 2.0], [2.0, NAN]])
def test_a_half_known_velocity_is_unknown(root, infos, tmp_path, velocity):
    dataset = read(root, infos, tmp_path, put('instances', 0, 'velocity', velocity))
    boxes = dataset.get_data_info(4)['ann_info']['gt_bboxes_3d'].tensor
    assert boxes[0, 7:].tolist() == [0, 0]
    assert '1 velocities with one NaN' in dataset._checks.summary()


def test_nothing_is_said_of_good_files(root, infos, tmp_path):
    dataset = read(root, infos, tmp_path, lambda info: None)
    assert dataset._checks.summary() is None


@pytest.mark.parametrize(
    ('size', 'stated'),
    [((64, 36), True), ((18, 32), True), ((31, 18), True), ((64, 36), False), ((18, 32), False)],
)
def test_images_of_another_size_than_the_info_says(root, infos, tmp_path, size, stated):
    """Files of mmdet3d state no size; then the principal point tells."""
    info = read(root, infos, tmp_path, lambda info: None).get_data_info(4)
    path = tmp_path / 'CAM_BACK.png'
    Image.new('RGB', size).save(path)
    info['img_path'][4] = str(path)
    if not stated:
        info['img_size'] = [(None, None)] * 6
    with refused('CAM_BACK.png'):
        LoadMultiViewImages()(info)


# ------------------------------------------------------------------------------- nuScenes tables

TABLES = {
    'NaN intrinsics': ('calibrated_sensor', 3, put('camera_intrinsic', 0, 0, NAN)),
    'zero intrinsics': ('calibrated_sensor', 3, multiply('camera_intrinsic', 0)),
    'no intrinsics': ('calibrated_sensor', 3, put('camera_intrinsic', [])),
    'intrinsics of another size': ('calibrated_sensor', 3, multiply('camera_intrinsic', HALF)),
    'NaN rotation': ('calibrated_sensor', 2, put('rotation', [NAN] * 4)),
    'zero rotation': ('calibrated_sensor', 2, put('rotation', [0, 0, 0, 0])),
    'scaled rotation': ('calibrated_sensor', 2, put('rotation', [2, 0, 0, 0])),
    'rotation of three': ('calibrated_sensor', 2, put('rotation', [0, 0, 1])),
    'rotation of text': ('calibrated_sensor', 2, put('rotation', 'up')),
    'rotation matrix': ('calibrated_sensor', 2, put('rotation', np.eye(3).tolist())),
    'NaN translation': ('calibrated_sensor', 2, put('translation', 0, NAN)),
    'translation of two': ('calibrated_sensor', 2, put('translation', [1, 2])),
    'no translation': ('calibrated_sensor', 2, put('translation', None)),
    'NaN pose': ('ego_pose', 2, put('rotation', 1, NAN)),
    'zero pose': ('ego_pose', 2, put('rotation', [0.0] * 4)),
    'pose scaled': ('ego_pose', 2, multiply('rotation', 1.5)),
    'pose far away': ('ego_pose', 2, put('translation', [1e300, 0, 0])),
    'image of another size': ('sample_data', 8, put('width', 160)),
    'turned box': ('sample_annotation', 0, put('rotation', [0.0] * 4)),
}


@pytest.mark.parametrize('case', TABLES)
def test_nuscenes_tables(tmp_path, case):
    table, row, edit = TABLES[case]
    root = write_fake_nuscenes(tmp_path / 'root')
    path = root / f'v1.0-mini/{table}.json'
    rows = json.loads(path.read_text())
    edit(rows[row])
    path.write_text(json.dumps(rows))
    place = 'calibrated_sensor' if table == 'sample_data' else table
    with refused('v1.0-mini', f'{place}.json'):
        create_nuscenes_infos(root, 'v1.0-mini')
    assert not list(root.glob('*.pkl'))
    if table in ('calibrated_sensor', 'ego_pose'):
        with refused('v1.0-mini', f'{table}.json'):
            NuScenesVideoDataset(str(root), 'v1.0-mini', ego_motion=True, frame_ids=(0,))


@pytest.mark.parametrize('table', ['calibrated_sensor', 'sample', 'map'])
def test_tables_of_another_encoding(tmp_path, table):
    """UTF-16 is refused; a byte-order mark of UTF-8 is no matter."""
    root = write_fake_nuscenes(tmp_path / 'root')
    path = root / f'v1.0-mini/{table}.json'
    text = path.read_text()
    path.write_text(text, 'utf-16')
    with refused(f'{table}.json', 'UTF-8'):
        create_nuscenes_infos(root, 'v1.0-mini')
    path.write_text(text, 'utf-8-sig')
    assert len(create_nuscenes_infos(root, 'v1.0-mini')) == 2


@pytest.mark.parametrize('size', [[0, 4, 1], [-1, 4, 1], [NAN, 4, 1], [1.9, 4.6, 0]])
def test_boxes_of_tables_are_dropped_and_counted(tmp_path, size):
    root = write_fake_nuscenes(tmp_path / 'root')
    path = root / 'v1.0-mini/sample_annotation.json'
    rows = json.loads(path.read_text())
    rows[3]['size'] = size
    path.write_text(json.dumps(rows))
    train, val = create_nuscenes_infos(root, 'v1.0-mini')
    assert train.dropped == [rows[3]['token']] and not val.dropped
    assert f'dropped 1 boxes with NaN or a size that is not positive, first {rows[3]["token"]}' in (
        str(train)
    )
    assert train.boxes['car'] == 5
    assert 'dropped' not in str(val)


# ----------------------------------------------------------------------------------------- sweeps

RANDOM = np.random.default_rng(0)


def sweep(features, layout):
    points = RANDOM.uniform(-30, 30, (400, features)).astype(np.float32)
    points[:, 3:] = RANDOM.uniform(0, 1, (400, features - 3))
    if layout == 'ring':
        points[:, 4] = np.arange(400) % 32
    return points


SWEEPS = {
    'KITTI for nuScenes': (sweep(4, ''), 'a.pcd.bin', 5),
    'six values for five': (sweep(6, 'ring'), 'a.pcd.bin', 5),
    'ten values for five': (sweep(10, ''), 'a.pcd.bin', 5),
    'time for ring': (sweep(5, ''), 'a.pcd.bin', 5),
    'negative ring': (sweep(5, 'ring') * [1, 1, 1, 1, -1], 'a.pcd.bin', 5),
    'float64': (sweep(5, 'ring').astype(np.float64), 'a.pcd.bin', 5),
    'integers': (RANDOM.integers(-3000, 3000, (400, 5), dtype=np.int32), 'a.pcd.bin', 5),
    'millimetres': (sweep(5, 'ring') * [1000, 1000, 1000, 1, 1], 'a.bin', 5),
    'all NaN': (sweep(5, 'ring') * np.nan, 'a.pcd.bin', 5),
    'text': (np.frombuffer(b'no points' * 20, np.uint8), 'a.pcd.bin', 5),
}


@pytest.mark.parametrize('case', SWEEPS)
def test_sweeps_of_another_layout(tmp_path, case):
    values, name, features = SWEEPS[case]
    values = values if case in ('float64', 'integers', 'text') else values.astype(np.float32)
    values.tofile(tmp_path / name)
    with refused(name):
        load_sweep(str(tmp_path / name), features)


def test_sweeps_are_accepted(tmp_path):
    sweep(5, 'ring').tofile(tmp_path / 'a.pcd.bin')
    assert load_sweep(str(tmp_path / 'a.pcd.bin'), 5).shape == (400, 5)
    sweep(7, '').tofile(tmp_path / 'own.bin')
    assert load_sweep(str(tmp_path / 'own.bin'), 7).shape == (400, 7)


@pytest.mark.parametrize(
    'values',
    [
        sweep(5, 'ring'),
        sweep(4, '') * np.float32([1, 1, 1, 255]),
        sweep(4, '') * np.float32([1000, 1000, 1000, 1]),
        sweep(4, '').astype(np.float64),
        sweep(4, '') * np.float32(np.nan),
        sweep(6, ''),
    ],
)
def test_velodyne_sweeps_of_another_layout(tmp_path, values):
    values.tofile(tmp_path / 'a.bin')
    with refused('a.bin'):
        read_velodyne(tmp_path / 'a.bin')


def test_edits_change_something(infos):
    """Guard of the tables above: each case differs from the good file."""
    good = pickle.loads(infos)['data_list'][4]
    for edit, _ in INFOS.values():
        changed = copy.deepcopy(good)
        edit(changed)
        assert pickle.dumps(changed) != pickle.dumps(good)
