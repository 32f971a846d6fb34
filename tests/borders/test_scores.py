"""Scores of odd predictions, and questions that come before the inference."""

import json
import pickle

import numpy as np
import pytest

from hybrid_depth.bev.evaluation.detection_metric import BEVDetectionMetric
from hybrid_depth.bev.evaluation.detection_report import report_table
from hybrid_depth.bev.evaluation.nuscenes_metric import NuScenesBEVMetric
from hybrid_depth.datasets.nuscenes.infos import CLASSES, create_nuscenes_infos
from hybrid_depth.depth.evaluation.evaluate import evaluate_files
from hybrid_depth.depth.evaluation.pose_metrics import read_motions, score_poses
from hybrid_depth.depth.evaluation.predicted_maps import check_aspect
from hybrid_depth.depth.evaluation.protocols import PROTOCOLS
from tests.bev.evaluation.test_detection_metric import (
    PREFIX,
    dataset,
    metric_of,
    perfect,
    score,
)
from tests.borders.refusal import refused
from tests.datasets.fake_nuscenes import write_fake_nuscenes
from tests.datasets.roots import fake_root
from tests.depth.evaluation.test_pose_metrics import drive, write_poses

EIGEN = PROTOCOLS['kitti_eigen']
NAN = float('nan')

# ----------------------------------------------------------------------------------------- boxes


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return fake_root(tmp_path_factory.mktemp('scores'))


@pytest.mark.parametrize('classes', [('car',), ('pedestrian', 'car')])
def test_perfect_detectors_of_some_classes_have_a_perfect_map(root, tmp_path, classes):
    data = dataset(root, 'val')
    order = [CLASSES.index(name) for name in classes]
    predictions = perfect(data)
    for prediction in predictions:
        found = prediction['pred_instances_3d']
        kept = [int(label) in order for label in found['labels_3d']]
        found = {key: found[key][kept] for key in found}
        found['labels_3d'] = found['labels_3d'].clone()
        for row, label in enumerate(found['labels_3d'].tolist()):
            found['labels_3d'][row] = order.index(label)
        prediction['pred_instances_3d'] = found
    metric = metric_of(data, out_dir=str(tmp_path))
    metric.dataset_meta = dict(data.metainfo, classes=classes)
    values = score(metric, predictions)
    assert values[f'{PREFIX}/mAP'] > 0.99
    assert f'{PREFIX}/bus_AP_dist_1.0' not in values
    report = json.loads((tmp_path / 'metrics.json').read_text())
    assert set(report['classes']) == set(classes)
    assert f"of {len(classes)} of the benchmark's 10 classes" in report_table(report)


def test_the_file_of_predictions_says_camera(root, tmp_path):
    score(metric_of(dataset(root, 'val'), out_dir=str(tmp_path)), perfect(dataset(root, 'val')))
    (path,) = tmp_path.rglob('results_nusc.json')
    meta = json.loads(path.read_text())['meta']
    assert meta['use_camera'] is True
    assert {meta[f'use_{name}'] for name in ('lidar', 'radar', 'map', 'external')} == {False}


def test_predictions_are_written_before_they_are_scored(root, tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError('disk full')

    monkeypatch.setattr(BEVDetectionMetric, 'evaluate_boxes', full_disk)
    data = dataset(root, 'val')
    with pytest.raises(OSError, match='disk full'):
        score(metric_of(data, out_dir=str(tmp_path)), perfect(data))
    (path,) = tmp_path.rglob('results_nusc.json')
    assert len(json.loads(path.read_text())['results']) == 3


@pytest.mark.parametrize(
    ('split', 'word'),
    [
        ('mini_vall', "did you mean 'mini_val'?"),
        ('Mini_Val', "did you mean 'mini_val'?"),
        ('mini-val', "did you mean 'mini_val'?"),
        ('validation', 'expected eval_split among'),
        ('val', 'got 3 of them'),
        ('train', 'got 0 of them'),
        ('mini_train', 'got 0 of them'),
        (['scene-0061'], 'got 0 of them'),
        (['scene-0103', 'scene-0061'], 'got 3 of them'),
        (['scene-9999'], 'scene-9999'),
        ([''], 'has none of its scenes'),
    ],
)
def test_splits_are_asked_before_the_inference(root, split, word):
    """When the loop tells the metric its data set; no prediction exists yet."""
    with refused(word):
        metric_of(dataset(root, 'val'), eval_split=split)


def test_sets_without_boxes_are_asked_before_the_inference(root, tmp_path):
    infos = pickle.loads((root / 'nuscenes_infos_val.pkl').read_bytes())
    for info in infos['data_list']:
        info['instances'] = []
    path = tmp_path / 'bare.pkl'
    path.write_bytes(pickle.dumps(infos))
    meta = dict(infos['metainfo'], classes=CLASSES)
    metric = BEVDetectionMetric(data_root=str(root), ann_file=str(path))
    meta = dict(infos['metainfo'], classes=CLASSES)
    with refused('bare.pkl', 'expected annotated boxes', 'format_only'):
        metric.dataset_meta = meta
    only = dict(format_only=True, jsonfile_prefix=str(tmp_path / 'out'))
    BEVDetectionMetric(str(root), str(path), **only).dataset_meta = meta


def test_infos_of_another_split_or_root(tmp_path, root):
    other = write_fake_nuscenes(tmp_path / 'root', scenes=('scene-0061', 'scene-0103'))
    create_nuscenes_infos(other, 'v1.0-mini')
    data = dataset(root, 'val')
    for name, word in (('nuscenes_infos_train.pkl', 'got 0 of them'), ('absent.pkl', 'absent')):
        metric = BEVDetectionMetric(data_root=str(root), ann_file=str(other / name))
        with refused(name, word):
            metric.dataset_meta = data.metainfo
    # the devkit reads the tables
    metric = NuScenesBEVMetric(str(tmp_path / 'none'), str(other / 'nuscenes_infos_val.pkl'))
    with refused('scene.json'):
        metric.dataset_meta = data.metainfo
    (other / 'v1.0-mini/sample.json').write_text('[{')
    metric = NuScenesBEVMetric(str(other), str(other / 'nuscenes_infos_val.pkl'))
    with refused('sample.json'):
        metric.dataset_meta = data.metainfo


# ----------------------------------------------------------------------------------------- depth


def truth(shape=(37, 124)):
    return np.random.default_rng(0).uniform(5, 40, shape).astype(np.float32)


@pytest.mark.parametrize(
    'shape', [(124, 37), (62, 19), (64, 64), (48, 64), (37, 62), (37, 200), (1, 124), (124, 124)]
)
def test_predictions_of_another_aspect(shape):
    with refused('frame 7', f'got {shape[1]}x{shape[0]}'):
        check_aspect(shape, (37, 124), 'frame 7')


@pytest.mark.parametrize('shape', [(37, 124), (19, 62), (48, 144), (64, 192), (74, 248)])
def test_predictions_of_about_the_aspect(shape):
    check_aspect(shape, (37, 124), 'frame 7')


def test_transposed_predictions_of_nearly_square_images():
    with refused('transposed'):
        check_aspect((48, 44), (44, 48), 'frame 7')


def test_files_of_transposed_predictions(tmp_path):
    np.save(tmp_path / 'truth.npy', np.stack([truth()] * 2))
    np.save(tmp_path / 'pred.npy', np.stack([truth().T] * 2))
    with refused('transposed'):
        evaluate_files(tmp_path / 'pred.npy', tmp_path / 'truth.npy', EIGEN, 'relative')


# ----------------------------------------------------------------------------------------- poses

POSES = {
    'NaN translation': ((3, 0, 3), NAN),
    'NaN rotation': ((3, 0, 0), NAN),
    'all NaN': ((3,), NAN),
    'infinite': ((3, 2, 3), float('inf')),
    'zero': ((3,), 0.0),
    'scaled': ((3, slice(3), slice(3)), 2.0),
    'far away': ((3, 1, 3), 1e12),
}


@pytest.mark.parametrize('case', POSES)
@pytest.mark.parametrize('which', ['predicted', 'truth', 'motions'])
def test_poses(tmp_path, case, which):
    place, value = POSES[case]
    bad = drive()
    bad[place] = value
    write_poses(drive(), tmp_path / 'good.txt')
    if which == 'motions':
        np.save(tmp_path / 'bad.npy', bad)
        with refused('bad.npy'):
            read_motions(tmp_path / 'bad.npy')
        return
    write_poses(bad, tmp_path / 'bad.txt')
    names = ('bad.txt', 'good.txt') if which == 'predicted' else ('good.txt', 'bad.txt')
    with refused('bad.txt'):
        score_poses(*(tmp_path / name for name in names))
