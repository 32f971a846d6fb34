"""Info files: schema, frames, splits, missing files, repeatability."""

import json
import pickle

import numpy as np
import pytest
from nuscenes import NuScenes
from nuscenes.eval.common.utils import quaternion_yaw

from hybrid_depth.datasets.nuscenes.infos import CAMERAS, CLASSES, InfoError, create_nuscenes_infos
from tests.datasets.fake_nuscenes import CAR_SPEED, SCENES, sensor_files, write_fake_nuscenes
from tests.datasets.roots import fake_root

NAMES = ('nuscenes_infos_train.pkl', 'nuscenes_infos_val.pkl')


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return write_fake_nuscenes(tmp_path_factory.mktemp('nuscenes') / 'root')


@pytest.fixture(scope='module')
def train(root):
    create_nuscenes_infos(root, 'v1.0-mini')
    return pickle.loads((root / NAMES[0]).read_bytes())


def test_splits_and_order(root, train):
    val = pickle.loads((root / NAMES[1]).read_bytes())
    assert [info['token'] for info in val['data_list']] == [f'scene-0103-{i}' for i in range(3)]
    assert [info['sample_idx'] for info in train['data_list']] == list(range(6))
    assert [info['frame_idx'] for info in train['data_list']] == [0, 1, 2, 0, 1, 2]
    chain = [(info['prev'], info['next']) for info in train['data_list'][:3]]
    tokens = [f'scene-0061-{i}' for i in range(3)]
    assert chain == [('', tokens[1]), (tokens[0], tokens[2]), (tokens[1], '')]


def test_schema(train):
    assert train['metainfo']['version'] == 'v1.0-mini'
    assert train['metainfo']['info_version'] == '1.2'
    assert train['metainfo']['scenes'] == dict.fromkeys(SCENES, 3)
    assert train['metainfo']['categories'] == {n: i for i, n in enumerate(CLASSES)} | {'animal': -1}
    info = train['data_list'][0]
    assert info['scene_token'] == info['scene_name'] == 'scene-0061'
    assert info['lidar_points']['lidar_path'] == 'scene-0061-0-LIDAR_TOP.pcd.bin'
    assert tuple(info['images']) == CAMERAS
    assert info['images']['CAM_BACK']['img_path'] == 'scene-0061-0-CAM_BACK.jpg'
    assert isinstance(info['ego2global'][0][0], float)
    assert set(info['instances'][0]) == {
        'bbox_3d', 'bbox_label_3d', 'velocity', 'num_lidar_pts', 'num_radar_pts', 'bbox_3d_isvalid',
    }  # fmt: skip
    assert [item['bbox_label_3d'] for item in info['instances']] == [0, 8, -1]
    assert [item['bbox_3d_isvalid'] for item in info['instances']] == [True, True, False]


def test_matrices_are_exactly_rigid_and_consistent(train):
    """Float32-rounded rotations make the metric's quaternions fail.

    Source: docs/reference/nuscenes.md, "Precision of poses".
    """
    for info in train['data_list']:
        lidar2global = np.array(info['ego2global']) @ np.array(info['lidar_points']['lidar2ego'])
        for camera in info['images'].values():
            lidar2cam = np.array(camera['lidar2cam'])
            rotation = lidar2cam[:3, :3]
            np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-14)
            through_camera = np.array(camera['ego2global']) @ camera['cam2ego'] @ lidar2cam
            np.testing.assert_allclose(through_camera, lidar2global, atol=1e-10)
        front, back = info['images']['CAM_FRONT'], info['images']['CAM_BACK']
        assert front['timestamp'] != back['timestamp']
        assert front['ego2global'] != back['ego2global']


def test_boxes_agree_with_the_devkit(root, train):
    """Boxes and velocities in the LiDAR frame, transformed by the devkit."""
    nusc = NuScenes('v1.0-mini', str(root), verbose=False)
    for info in train['data_list']:
        sample = nusc.get('sample', info['token'])
        _, boxes, _ = nusc.get_sample_data(sample['data']['LIDAR_TOP'])
        for box, item, token in zip(boxes, info['instances'], sample['anns'], strict=True):
            width, length, height = box.wlh
            np.testing.assert_allclose(item['bbox_3d'][:3], box.center, atol=1e-9)
            assert item['bbox_3d'][3:6] == [length, width, height]
            assert item['bbox_3d'][6] == pytest.approx(quaternion_yaw(box.orientation), abs=1e-9)
            lidar2global = np.array(info['ego2global']) @ info['lidar_points']['lidar2ego']
            expected = lidar2global[:3, :3].T @ nusc.box_velocity(token)
            np.testing.assert_allclose(item['velocity'], expected[:2], atol=1e-9)
    speed = np.linalg.norm(train['data_list'][1]['instances'][0]['velocity'])
    assert speed == pytest.approx(np.linalg.norm(CAR_SPEED), rel=1e-3)


def test_two_runs_and_two_workers_write_the_same_bytes(root, train, tmp_path):
    create_nuscenes_infos(root, 'v1.0-mini', tmp_path / 'again')
    create_nuscenes_infos(root, 'v1.0-mini', tmp_path / 'workers', workers=2)
    for name in NAMES:
        first = (root / name).read_bytes()
        assert (tmp_path / 'again' / name).read_bytes() == first
        assert (tmp_path / 'workers' / name).read_bytes() == first


def test_max_scenes_and_counts(root, tmp_path):
    train, val = create_nuscenes_infos(root, 'v1.0-mini', tmp_path, max_scenes=1)
    assert (train.scenes, train.samples, train.boxes['car'], train.boxes['ignored']) == (1, 3, 3, 3)
    assert (val.scenes, val.samples) == (1, 3)
    assert 'car 3' in str(train)


def test_missing_files_are_listed_and_nothing_is_written(tmp_path):
    root = write_fake_nuscenes(tmp_path / 'root')
    gone = sensor_files(root)[:2]
    for path in gone:
        path.unlink()
    with pytest.raises(FileNotFoundError, match='2 files') as error:
        create_nuscenes_infos(root, 'v1.0-mini', tmp_path / 'out')
    assert str(gone[0]) in str(error.value)
    assert not list(tmp_path.glob('out/*'))


def test_missing_camera_names_sample_and_camera(tmp_path):
    root = write_fake_nuscenes(tmp_path / 'root')
    table = root / 'v1.0-mini/sample_data.json'
    records = [r for r in json.loads(table.read_text()) if r['token'] != 'scene-0061-1-CAM_BACK']
    table.write_text(json.dumps(records))
    with pytest.raises(InfoError, match='scene-0061-1.*CAM_BACK'):
        create_nuscenes_infos(root, 'v1.0-mini')


def test_one_scene_gives_an_empty_val(tmp_path):
    root = write_fake_nuscenes(tmp_path / 'root', scenes=('scene-0061',))
    train, val = create_nuscenes_infos(root, 'v1.0-mini')
    assert (train.samples, val.samples) == (3, 0)
    assert pickle.loads(val.path.read_bytes())['data_list'] == []


def test_bad_roots(tmp_path):
    with pytest.raises(FileNotFoundError, match='v1.0-trainval'):
        create_nuscenes_infos(tmp_path, 'v1.0-trainval')
    with pytest.raises(InfoError, match='v1.0-mini'):
        create_nuscenes_infos(tmp_path, 'v2')
    root = write_fake_nuscenes(tmp_path / 'root', scenes=('my-scene',))
    with pytest.raises(InfoError, match='my-scene'):
        create_nuscenes_infos(root, 'v1.0-mini')


def test_test_version_has_no_instances(tmp_path):
    root = write_fake_nuscenes(
        tmp_path / 'root', scenes=('scene-0077',)
    )  # a scene of the test split
    tables = (root / 'v1.0-mini').rename(root / 'v1.0-test')
    for name in ('sample_annotation', 'instance'):
        (tables / f'{name}.json').write_text('[]')
    (summary,) = create_nuscenes_infos(root, 'v1.0-test')
    assert summary.path.name == 'nuscenes_infos_test.pkl'
    assert (summary.samples, summary.boxes.total()) == (3, 0)


def test_real_keyframe(real_data, tmp_path):
    root = real_data / 'nuscenes_keyframe'
    train, val = create_nuscenes_infos(root, 'v1.0-mini', tmp_path)
    assert (train.samples, val.samples) == (1, 0)
    counts = dict(
        car=8, pedestrian=30, barrier=22, traffic_cone=3, truck=2, bus=1, bicycle=1,
        construction_vehicle=1,
    )  # fmt: skip
    assert dict(train.boxes) == counts


@pytest.mark.parametrize(
    ('table', 'key', 'value'),
    [
        ('sample', 'timestamp', float('nan')),
        ('sample', 'timestamp', 2**70),
        ('sample_data', 'height', 0),
    ],
)
def test_times_and_sizes_of_the_tables_are_checked(tmp_path, table, key, value):
    path = fake_root(tmp_path) / f'v1.0-mini/{table}.json'
    rows = json.loads(path.read_text())
    rows[1][key] = value
    path.write_text(json.dumps(rows))
    with pytest.raises(InfoError, match=f'{table}.json, .*expected .*{key}'):
        create_nuscenes_infos(path.parents[1], 'v1.0-mini')
