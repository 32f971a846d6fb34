"""Detectors without LiDAR, outside training too; class names of other data."""

import pickle
import shutil

import numpy as np
import pytest

from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.bev.evaluation.detection_metric import BEVDetectionMetric
from hybrid_depth.bev.evaluation.nuscenes_metric import NuScenesBEVMetric
from hybrid_depth.bev.hooks.bev_visualization_hook import scene_of
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.geometry import CameraRig
from hybrid_depth.inference.bev import infer_sample, init_bev_model, keyframes
from hybrid_depth.inference.bev_writer import write_keyframe
from tests.bev.hooks.test_bev_visualization_hook import IMAGE_SIZE, make_batch, rig_matrices
from tests.borders.refusal import refused
from tests.conftest import ROOT
from tests.datasets.fake_nuscenes import write_fake_nuscenes
from tests.datasets.roots import fake_root

TRAIN = 'nuscenes_infos_train.pkl'


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = fake_root(tmp_path_factory.mktemp('no_lidar'))
    shutil.rmtree(root / 'samples/LIDAR_TOP')
    return root


def rewritten(root, tmp_path, edit):
    content = pickle.loads((root / TRAIN).read_bytes())
    edit(content)
    path = tmp_path / 'infos.pkl'
    path.write_bytes(pickle.dumps(content))
    return path


def without_paths(content):
    for info in content['data_list']:
        del info['lidar_points']['lidar_path'], info['lidar_points']['num_pts_feats']
        info.pop('lidar_sweeps')


def unchanged(content):
    pass


@pytest.mark.parametrize('sweeps', ['none', 'one of a scene'])
def test_infos_of_a_root_without_sweeps(tmp_path, sweeps):
    root = write_fake_nuscenes(tmp_path / 'root')
    paths = sorted((root / 'samples/LIDAR_TOP').iterdir())
    for path in paths if sweeps == 'none' else paths[:1]:
        path.unlink()
    train, _ = create_nuscenes_infos(root, 'v1.0-mini')
    assert train.samples == 6 and train.no_sweep == (6 if sweeps == 'none' else 1)
    assert f'{train.no_sweep} LiDAR sweeps are not on disk' in str(train)


@pytest.mark.parametrize('edit', [without_paths, unchanged])
def test_boxes_and_drawings_of_a_detector(root, tmp_path, edit):
    """`infer_bev`, and what `test --show-dir` draws."""
    model = init_bev_model(ROOT / 'configs/toy/bevdet_plain_toy.py')
    dataset = keyframes(model, rewritten(root, tmp_path, edit), root)
    packed = dataset[0]
    sample = infer_sample(model, packed)
    write_keyframe(sample, packed, dataset.metainfo['classes'], tmp_path / 'out')
    assert len(list((tmp_path / 'out').iterdir())) == 2


@pytest.mark.parametrize('path', ['', 'absent.bin', 'folder', None])
def test_scenes_without_points(tmp_path, path):
    (tmp_path / 'folder').mkdir()
    _, (sample,) = make_batch(tmp_path, 1)
    if path is None:
        _, (sample,) = make_batch(tmp_path, 1, full=False)
    else:
        sample.set_metainfo(dict(lidar_path=str(tmp_path / path) if path else ''))
    scene = scene_of(sample, CameraRig.collate([rig_matrices()]), IMAGE_SIZE)
    assert scene.points is None


NAMES = (
    ('Car', 'Pedestrian'),
    ('car', 'Fußgänger'),
    ('vehicle.car', 'tram'),
    tuple(f'class {i}' for i in range(14)),
)


@pytest.mark.parametrize('names', NAMES)
def test_own_class_names(root, tmp_path, names):
    def rename(content):
        content['metainfo']['categories'] = {name: i for i, name in enumerate(names)}
        for info in content['data_list']:
            for item in info['instances']:
                item['bbox_label_3d'] = min(item['bbox_label_3d'], 1)

    path = rewritten(root, tmp_path, rename)
    dataset = NuScenesBEVDataset(str(root), str(path), metainfo=dict(classes=names))
    assert tuple(dataset.metainfo['classes']) == names
    assert dataset.get_data_info(0)['ann_info']['gt_labels_3d'].tolist() == [0, 1]
    swapped = NuScenesBEVDataset(str(root), str(path), metainfo=dict(classes=names[::-1]))
    assert swapped.get_data_info(0)['ann_info']['gt_labels_3d'][0] == len(names) - 1


@pytest.mark.parametrize('names', NAMES)
def test_the_benchmark_says_that_it_has_other_classes(root, names):
    for kind, word in ((NuScenesBEVMetric, 'BEVDetectionMetric'), (BEVDetectionMetric, 'ranges=')):
        metric = kind(str(root), str(root / 'nuscenes_infos_val.pkl'))
        with refused(word, names[-1]):
            metric.dataset_meta = dict(classes=names, version='v1.0-mini')


def test_the_class_keeps_its_classes(root):
    """Own names of one data set are not those of the next."""
    before = NuScenesBEVDataset.METAINFO['classes']
    first = NuScenesBEVDataset(str(root), TRAIN, metainfo=dict(classes=('pedestrian',)))
    assert first.get_data_info(0)['ann_info']['gt_labels_3d'].tolist() == [-1, 0]
    second = NuScenesBEVDataset(str(root), TRAIN)
    assert NuScenesBEVDataset.METAINFO['classes'] == before == tuple(second.metainfo['classes'])
    assert np.array_equal(second.get_data_info(0)['ann_info']['gt_labels_3d'], [0, 8])
