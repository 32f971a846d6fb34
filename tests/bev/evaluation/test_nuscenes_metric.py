"""The devkit's metric and ours give the same numbers, whatever the data."""

import pickle
import shutil

import numpy as np
import pytest
import torch

from hybrid_depth.bev.datasets import nuscenes
from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.bev.evaluation import nuscenes_metric
from hybrid_depth.bev.evaluation.detection_metric import BEVDetectionMetric
from hybrid_depth.bev.evaluation.nuscenes_metric import NuScenesBEVMetric
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.toy_world import make_toy_world
from tests.bev.evaluation.test_detection_metric import PREFIX, dataset, perfect, score
from tests.borders.refusal import refused
from tests.datasets.roots import fake_root, keyframe_dataset


def noisy(data: NuScenesBEVDataset) -> list[dict]:
    """Ground truth with errors of a metre or two, in random order of scores."""
    draw = torch.Generator().manual_seed(0)
    predictions = perfect(data)
    for prediction in predictions:
        found = prediction['pred_instances_3d']
        boxes = found['bboxes_3d'].tensor
        boxes += 0.7 * torch.randn(boxes.shape, generator=draw)
        boxes[:, 3:6] = boxes[:, 3:6].abs() + 0.1
        found['scores_3d'] = torch.rand(len(boxes), generator=draw)
    return predictions


def values_of(kind: type, data: NuScenesBEVDataset, predictions: list[dict], split: str) -> dict:
    metric = kind(data.data_root, data.ann_file, eval_split=split)
    metric.dataset_meta = data.metainfo
    return score(metric, predictions)


def assert_both_equal(data: NuScenesBEVDataset, split: str = 'mini_train') -> None:
    predictions = noisy(data)
    ours, theirs = (
        values_of(kind, data, predictions, split)
        for kind in (BEVDetectionMetric, NuScenesBEVMetric)
    )
    assert 0 < ours[f'{PREFIX}/mAP'] < 1
    np.testing.assert_equal(ours, theirs)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return fake_root(tmp_path_factory.mktemp('devkit'))


def test_fake_root(root):
    assert_both_equal(dataset(root))


def test_toy_world(tmp_path):
    make_toy_world(tmp_path / 'toy', scenes=2, keyframes=2, size=(80, 45), workers=1)
    create_nuscenes_infos(tmp_path / 'toy', 'v1.0-mini')
    assert_both_equal(dataset(tmp_path / 'toy'))


def test_real_keyframe(real_data, tmp_path):
    assert_both_equal(keyframe_dataset(real_data, tmp_path, test_mode=True))


def test_info_files_of_others_need_the_devkit(root, tmp_path):
    """Those of mmdet3d, and ours before 1.2."""
    content = pickle.loads((root / 'nuscenes_infos_train.pkl').read_bytes())
    content['metainfo'] = {
        key: value for key, value in content['metainfo'].items() if key != 'scenes'
    } | dict(info_version='1.1')
    for info in content['data_list']:
        del info['evaluation'], info['scene_name']
    path = tmp_path / 'old.pkl'
    path.write_bytes(pickle.dumps(content))
    data = NuScenesBEVDataset(str(root), str(path), test_mode=True)
    with refused('old.pkl', 'info_version 1.2', 'create-nuscenes-infos', 'NuScenesBEVMetric'):
        values_of(BEVDetectionMetric, data, perfect(data), 'mini_train')
    values = values_of(NuScenesBEVMetric, data, perfect(data), 'mini_train')
    assert values[f'{PREFIX}/mAP_present'] > 0.99


def test_the_same_without_tables(root, tmp_path):
    """Ours reads no table."""
    data = dataset(root)
    metric = BEVDetectionMetric(str(tmp_path), data.ann_file, eval_split='mini_train')
    metric.dataset_meta = data.metainfo
    assert score(metric, perfect(data))[f'{PREFIX}/mAP_present'] > 0.99


def test_infos_of_other_tables_are_named_by_data_set_and_metric(root, tmp_path, monkeypatch):
    """Repaired tables changed nothing, without a word, until the infos were made again."""
    said = []
    for module in (nuscenes, nuscenes_metric):
        monkeypatch.setattr(module, 'print_log', lambda text, **_: said.append(text))
    shutil.copytree(root, tmp_path / 'root')

    def build() -> None:
        data = dataset(tmp_path / 'root')
        metric = NuScenesBEVMetric(data.data_root, data.ann_file, eval_split='mini_train')
        metric.dataset_meta = data.metainfo

    build()
    assert said == []
    with open(tmp_path / 'root/v1.0-mini/sample_annotation.json', 'a') as file:
        file.write('\n')
    build()
    assert len(said) == 2 and all('has now: sample_annotation. Make it' in text for text in said)
