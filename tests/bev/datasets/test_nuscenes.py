"""NuScenesBEVDataset: calibration, labels, self-checks, class-balanced sampling."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmdet3d.datasets import CBGSDataset
from mmengine import dump
from mmengine.config import Config
from PIL import Image

from hybrid_depth.bev.datasets import nuscenes
from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.bev.transforms.ego_boxes import LoadEgoBoxes
from hybrid_depth.bev.transforms.lidar_depth import LoadLidarDepth
from hybrid_depth.datasets.nuscenes.infos import CAMERAS, CLASSES, InfoError
from hybrid_depth.errors import UnsafeFileError
from hybrid_depth.geometry import lift_frustum
from tests.conftest import ROOT
from tests.datasets.roots import fake_root, keyframe_dataset
from tests.golden.bevdet import (
    GEOMETRY,
    OFFICIAL_GRID,
    lifted,
    near_border,
    official_frustum,
    official_rig,
)
from tests.golden.reader import Golden
from tests.hostile import payloads

BDA, IDA = Golden('bevdet_bda'), Golden('bevdet_ida')
OFFICIAL = 'configs/bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py'
TRAIN = 'nuscenes_infos_train.pkl'


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return fake_root(tmp_path_factory.mktemp('dataset'))


def make(root, ann_file=TRAIN, **kwargs) -> NuScenesBEVDataset:
    return NuScenesBEVDataset(data_root=str(root), ann_file=str(ann_file), **kwargs)


def edited(root, tmp_path, edit):
    """An info file with ``edit(content)`` applied."""
    content = pickle.loads((root / TRAIN).read_bytes())
    edit(content)
    path = tmp_path / 'edited.pkl'
    path.write_bytes(pickle.dumps(content))
    return path


@pytest.mark.parametrize('name', ['system', 'exec', 'Path.touch', 'Config.fromstring'])
def test_code_in_an_info_file_is_not_run(root, tmp_path, name):
    marker = tmp_path / 'code-has-run'
    path = edited(root, tmp_path, lambda content: content.update(x=payloads(marker)[name]))
    with pytest.raises(UnsafeFileError, match='edited.pkl: expected.*do not trust'):
        make(root, path)
    assert not marker.exists()


def test_published_files_hold_numbers_of_numpy(root, tmp_path):
    """As mmdet3d's converter and mmengine's `dump` leave them."""

    def publish(content):
        content['metainfo']['categories'] = {
            np.str_(name): label for name, label in content['metainfo']['categories'].items()
        }
        for info in content['data_list']:
            for item in info['instances']:
                item.update(num_lidar_pts=np.int64(item['num_lidar_pts']))
                item.update(bbox_3d_isvalid=np.bool_(item['bbox_3d_isvalid']))

    content = pickle.loads((root / TRAIN).read_bytes())
    publish(content)
    dump(content, tmp_path / 'published.pkl')
    ours, theirs = make(root), make(root, tmp_path / 'published.pkl')
    assert len(ours) == len(theirs)
    for i in range(len(ours)):
        for key, value in ours.get_data_info(i)['ann_info'].items():
            found = theirs.get_data_info(i)['ann_info'][key]
            np.testing.assert_array_equal(
                getattr(found, 'tensor', found), getattr(value, 'tensor', value)
            )


def test_calibration(root):
    info = make(root).get_data_info(1)
    raw = pickle.loads((root / TRAIN).read_bytes())['data_list'][1]
    assert info['cam_names'] == list(CAMERAS)
    assert all(name in path for name, path in zip(CAMERAS, info['img_path'], strict=True))
    lidar2global = np.array(raw['ego2global']) @ raw['lidar_points']['lidar2ego']
    for i, name in enumerate(CAMERAS):
        camera = raw['images'][name]
        # from the camera's ego pose to the ego at LiDAR time
        expected = np.linalg.inv(raw['ego2global']) @ camera['ego2global'] @ camera['cam2ego']
        np.testing.assert_allclose(info['cam2ego'][i], expected, atol=1e-10)
    np.testing.assert_allclose(info['ego2global'] @ info['lidar2ego'], lidar2global)
    for key in ('cam2img', 'cam2ego', 'lidar2ego', 'ego2global', 'img_aug', 'bda'):
        assert info[key].dtype == np.float64
    assert info['lidar_path'].startswith(str(root / 'samples/LIDAR_TOP'))


def test_only_boxes_with_points_and_without_nan_velocity(root):
    annotations = make(root).get_data_info(0)['ann_info']
    assert annotations['gt_labels_3d'].tolist() == [0, 8]  # the animal has no point
    assert annotations['gt_bboxes_3d'].tensor.shape == (2, 9)


def test_version_comes_from_the_file(root):
    assert make(root).metainfo['version'] == 'v1.0-mini'
    assert make(root, metainfo=dict(version='other')).metainfo['version'] == 'other'


def test_labels_are_mapped_by_name(root, tmp_path):
    def reverse(content):
        last = len(CLASSES) - 1
        content['metainfo']['categories'] = {n: last - i for i, n in enumerate(CLASSES)}
        for info in content['data_list']:
            for item in info['instances']:
                if item['bbox_label_3d'] >= 0:
                    item['bbox_label_3d'] = last - item['bbox_label_3d']

    dataset = make(root, edited(root, tmp_path, reverse))
    assert dataset.get_data_info(0)['ann_info']['gt_labels_3d'].tolist() == [0, 8]


def test_subset_of_classes(root):
    dataset = make(root, metainfo=dict(classes=('pedestrian',)))
    assert dataset.get_data_info(0)['ann_info']['gt_labels_3d'].tolist() == [-1, 0]


def test_subset_of_cameras(root):
    info = make(root, cameras=('CAM_BACK', 'CAM_FRONT')).get_data_info(0)
    assert info['cam_names'] == ['CAM_BACK', 'CAM_FRONT']
    assert info['cam2ego'].shape == (2, 4, 4)


def test_old_info_file_names_the_tool(root, tmp_path):
    def strip(content):
        for info in content['data_list']:
            del info['ego2global']

    with pytest.raises(InfoError, match='ego2global.*create-nuscenes-infos'):
        make(root, edited(root, tmp_path, strip))


def test_old_box_convention(root, tmp_path):
    def swap(content):
        for info in content['data_list']:
            for item in info['instances']:
                item['bbox_3d'][3:5] = item['bbox_3d'][4:2:-1]

    with pytest.raises(InfoError, match='convention'):
        make(root, edited(root, tmp_path, swap))


def test_file_without_a_class(root, tmp_path):
    path = edited(root, tmp_path, lambda content: content['metainfo']['categories'].pop('bus'))
    with pytest.raises(InfoError, match='bus'):
        make(root, path)


def test_empty_and_missing_files(root, tmp_path):
    empty = edited(root, tmp_path, lambda content: content.update(data_list=[]))
    with pytest.raises(InfoError, match='no samples'):
        make(root, empty)
    with pytest.raises(FileNotFoundError, match='create-nuscenes-infos'):
        make(root, tmp_path / 'absent.pkl')


def test_class_balanced_sampling(root):
    balanced = CBGSDataset(make(root, metainfo=dict(classes=('car', 'pedestrian'))))
    assert len(balanced) == 12  # each class once per sample that has it
    assert balanced.get_cat_ids(0) == {0, 1}


def test_test_mode_keeps_boxes_for_evaluation(root):
    info = make(root, test_mode=True).get_data_info(0)
    assert 'ann_info' not in info
    assert len(info['eval_ann_info']['gt_bboxes_3d']) == 2


def test_boxes_of_the_real_keyframe_project_into_images(real_data, tmp_path):
    """Almost all annotated boxes of the real keyframe are in a camera's image."""
    info = keyframe_dataset(real_data, tmp_path).get_data_info(0)
    BDA.check('gt_labels', info['ann_info']['gt_labels_3d'], 0)  # boxes with a point
    centre = info['ann_info']['gt_bboxes_3d'].gravity_center.double().numpy()
    ego = centre @ info['lidar2ego'][:3, :3].T + info['lidar2ego'][:3, 3]
    cam = np.linalg.inv(info['cam2ego']) @ np.c_[ego, np.ones(len(ego))].T
    pixel = info['cam2img'] @ cam[:, :3]
    uv = pixel[:, :2] / pixel[:, 2:]
    size = np.array([1600, 900])[:, None]
    seen = ((pixel[:, 2] > 1) & (uv >= 0).all(1) & (uv < size).all(1)).any(0)
    assert seen.mean() > 0.95


def test_adjacent_frames(root):
    dataset = make(root, num_adj=2)
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    places = {info['token']: i for i, info in enumerate(infos)}
    raw = pickle.loads((root / TRAIN).read_bytes())['data_list']
    starts = [i for i, info in enumerate(raw) if not info['prev']]
    assert len(starts) == 2 and len(raw) == 6
    for i, info in enumerate(infos):
        before = places.get(raw[i]['prev'], i)
        first, second = info['adjacent']
        assert first['img_path'] == infos[before]['img_path']
        np.testing.assert_array_equal(first['ego2global'], infos[before]['ego2global'])
        # two earlier frames, or the current one at the start of the scene
        earliest = places.get(raw[before]['prev'], i)
        assert second['img_path'] == infos[earliest]['img_path']
        assert first['cam2ego'].shape == (6, 4, 4)


def test_adjacent_frames_are_in_the_subset(root):
    dataset = make(root, num_adj=1, indices=[2, 0])
    for i in range(2):
        info = dataset.get_data_info(i)
        assert info['adjacent'][0]['img_path'] == info['img_path']
    whole, dataset = make(root), make(root, num_adj=1, indices=[1, 2])
    before = dataset.get_data_info(1)['adjacent'][0]
    assert before['img_path'] == whole.get_data_info(1)['img_path']


def test_another_frame_is_not_taken_for_the_one_before(root):
    """Parts of a data set count their places anew."""
    whole = make(root)
    part = make(root, num_adj=1)
    part.full_init()
    part = part.get_subset([2, 1])
    for place, index_of_sample in enumerate((2, 1)):
        before = part.get_data_info(place)['adjacent'][0]['img_path']
        assert before in (
            whole.get_data_info(index_of_sample)['img_path'],
            whole.get_data_info(index_of_sample - 1)['img_path'],
        )


@pytest.mark.parametrize('length', [1, 2, 3, 9])
@pytest.mark.parametrize('backwards', [False, True])
def test_scenes_are_cut_into_sequences(root, tmp_path, length, backwards):
    """Two scenes of three key frames, in whatever order the file has them."""
    path = edited(root, tmp_path, lambda content: backwards and content['data_list'].reverse())
    dataset = make(root, path, sequence_length=length)
    raw = pickle.loads(path.read_bytes())['data_list']
    expected = []
    for start in (i for i, info in enumerate(raw) if not info['prev']):
        scene = [raw[start]['token']]
        while following := [info['token'] for info in raw if info['prev'] == scene[-1]]:
            scene += following
        expected += [scene[i : i + length] for i in range(0, len(scene), length)]
    found = [[raw[i]['token'] for i in sequence] for sequence in dataset.sequences()]
    assert sorted(found) == sorted(expected)
    for sequence in dataset.sequences():
        positions = [dataset.get_data_info(i)['sequence'] for i in sequence]
        assert [index for _, index in positions] == list(range(len(sequence)))
        assert {name for name, _ in positions} == {raw[sequence[0]]['token']}


def test_frames_without_boxes_stay_in_their_sequence(root, tmp_path):
    path = edited(root, tmp_path, lambda content: content['data_list'][1]['instances'].clear())
    assert make(root, path).prepare_data(1) is None
    assert make(root, path, sequence_length=3).prepare_data(1) is not None


def test_info_files_without_order_give_single_frames(root, tmp_path, monkeypatch):
    def without_order(content):
        for info in content['data_list']:
            del info['prev'], info['next'], info['scene_token']

    warnings = []
    monkeypatch.setattr(nuscenes, 'print_log', lambda text, **_: warnings.append(text))
    make(root, num_adj=1)
    assert not warnings
    path = edited(root, tmp_path, without_order)
    info = make(root, path, num_adj=1).get_data_info(1)
    assert info['adjacent'][0]['img_path'] == info['img_path']
    assert len(warnings) == 1 and str(path) in warnings[0]


@pytest.fixture(scope='module')
def official_sample(real_data, tmp_path_factory):
    """The real keyframe as the config for official weights reads it."""
    options = Config.fromfile(ROOT / OFFICIAL).train_dataloader.dataset.dataset
    frames = {name: options[name] for name in ('ego_frame', 'box_frame')}
    return keyframe_dataset(real_data, tmp_path_factory.mktemp('official'), **frames).get_data_info(
        0
    )


def pose_rounding() -> float:
    """Metres by which float32 global poses, which the released code keeps, move a camera: half a
    unit in the last place of each coordinate of two poses."""
    largest = np.abs(GEOMETRY.array('test.ego2global')[:, :3, 3]).max()
    return float(np.sqrt(3) * np.spacing(np.float32(largest)))


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_golden_rig_and_voxels_of_the_released_code(official_sample, view):
    """From the tables to the ego frame of CAM_FRONT_LEFT's time, and to voxel indices."""
    moved, sample = pose_rounding(), official_sample
    assert moved < 3e-4
    GEOMETRY.check(f'{view}.sensor2keyego', sample['cam2ego'], moved, scale=1)
    rig = official_rig(view)  # its augmentation
    rig = replace(rig, cam2ego=torch.from_numpy(sample['cam2ego'])[None].float())
    points, official = lift_frustum(official_frustum(), rig), lifted(view)
    assert (points - official).abs().max() < 2 * moved  # and float32's arithmetic
    ranks, near = OFFICIAL_GRID.ranks(points), near_border(OFFICIAL_GRID, points, 2 * moved)[0]
    assert near.float().mean() < 2e-3
    assert torch.equal(ranks[~near], OFFICIAL_GRID.ranks(official)[~near])
    GEOMETRY.check(f'{view}.kept', (ranks >= 0).sum(), 1, scale=near.sum())
    cells = torch.bincount(ranks[ranks >= 0], minlength=128 * 128)
    theirs = torch.zeros_like(cells)
    theirs[GEOMETRY[f'{view}.voxels'].long()] = GEOMETRY[f'{view}.interval_lengths'].long()
    assert (cells - theirs).abs().sum() <= 2 * near.sum()


def test_golden_boxes_of_the_released_code(official_sample):
    """In the ego frame of CAM_FRONT's time."""
    official = BDA['gt_boxes'].float()
    boxes = LoadEgoBoxes()(dict(official_sample))['gt_bboxes_3d']
    assert (boxes.gravity_center - official[:, :3]).abs().max() < 5e-4
    assert torch.allclose(boxes.dims, official[:, 3:6])


def test_frames_of_the_released_code_describe_the_same_world(official_sample, real_data, tmp_path):
    """Their origins are 0.40 m and 0.33 m from that of LiDAR time; depth maps do not change."""
    ours = keyframe_dataset(real_data, tmp_path).get_data_info(0)
    for name, distance in (('lidar2ego', 0.40), ('lidar2boxes', 0.33)):
        apart = np.linalg.norm((official_sample[name] - ours[name])[:3, 3])
        assert apart == pytest.approx(distance, abs=0.01)
    np.testing.assert_allclose(
        official_sample['ego2global'], IDA.array('ego2global')[0], 1e-6, 1e-6
    )
    points, depth = [], []
    for sample in (dict(official_sample), ours):
        points.append(sample['ego2global'] @ sample['lidar2ego'])
        sample['img'] = [Image.new('RGB', (1600, 900))] * 6
        depth.append(LoadLidarDepth()(sample)['gt_depth'])
    np.testing.assert_allclose(*points, atol=1e-9)
    np.testing.assert_allclose(*depth, atol=1e-5)


def test_frames_of_no_camera(root, tmp_path):
    for name in ('ego_frame', 'box_frame'):
        with pytest.raises(ValueError, match=f'expected {name} .*CAM_FRONT_LEFT, .*got .CAM_X.'):
            make(root, **{name: 'CAM_X'})

    def strip(content):
        for info in content['data_list']:
            del info['images']['CAM_FRONT']['ego2global']

    path = edited(root, tmp_path, strip)
    assert len(make(root, path)) > 0
    with pytest.raises(InfoError, match='got none of CAM_FRONT.ego2global; make it with'):
        make(root, path, box_frame='CAM_FRONT')
