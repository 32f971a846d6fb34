"""BEVDetectionMetric: perfect, empty, partial and reordered predictions; report; splits."""

import json
import pickle

import numpy as np
import pytest
import torch
from mmdet3d.registry import MODELS
from mmdet3d.structures import LiDARInstance3DBoxes
from mmengine.config import Config

from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.bev.evaluation.detection_metric import BEVDetectionMetric
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.errors import UnsafeFileError
from hybrid_depth.toy_world import make_toy_world
from tests.bev.perfect import Detector, echo, perfect_prediction, through_head
from tests.conftest import ROOT
from tests.datasets.roots import fake_root, keyframe_dataset
from tests.hostile import payloads

HEAD = Config.fromfile(ROOT / 'configs/_base_/models/bevdet_r50.py').model.pts_bbox_head
PREFIX = 'NuScenes metric/pred_instances_3d_NuScenes'


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return fake_root(tmp_path_factory.mktemp('metric'))


def dataset(root, split: str = 'train') -> NuScenesBEVDataset:
    return NuScenesBEVDataset(str(root), f'nuscenes_infos_{split}.pkl', test_mode=True)


def metric_of(data: NuScenesBEVDataset, **kwargs) -> BEVDetectionMetric:
    metric = BEVDetectionMetric(data_root=data.data_root, ann_file=data.ann_file, **kwargs)
    metric.dataset_meta = data.metainfo
    return metric


def perfect(data: NuScenesBEVDataset, detector: Detector = echo) -> list[dict]:
    return [perfect_prediction(data.get_data_info(i), detector) for i in range(len(data))]


def score(metric: BEVDetectionMetric, predictions: list[dict]) -> dict:
    metric.process({}, predictions)
    return metric.evaluate(len(predictions))


def nothing(prediction: dict) -> dict:
    found = prediction['pred_instances_3d']
    return dict(prediction, pred_instances_3d={key: found[key][:0] for key in found})


@pytest.mark.parametrize(('split', 'eval_split'), [('train', 'mini_train'), ('val', None)])
def test_perfect_predictions(root, split, eval_split):
    data = dataset(root, split)
    values = score(metric_of(data, eval_split=eval_split), perfect(data))
    assert values[f'{PREFIX}/mAP_present'] > 0.99
    assert values[f'{PREFIX}/mAP'] == pytest.approx(0.2, abs=0.002)  # 2 of 10 classes are present
    assert values[f'{PREFIX}/car_AP_dist_0.5'] > 0.99
    assert values[f'{PREFIX}/car_orient_err'] < 0.01
    assert values[f'{PREFIX}/car_vel_err'] < 0.05


def head_detector(nms_thr: float) -> Detector:
    cfg = HEAD.copy()
    cfg.test_cfg = dict(cfg.test_cfg, nms_thr=nms_thr)
    return through_head(MODELS.build(cfg))


@pytest.mark.parametrize('through', ['frames', 'frames and head'])
def test_real_keyframe_perfect(through, real_data, tmp_path):
    """Frames, head encoding and decoding, and metric are lossless on real data."""
    data = keyframe_dataset(real_data, tmp_path, test_mode=True)
    detector = echo if through == 'frames' else head_detector(nms_thr=1.0)
    metric = metric_of(data, eval_split='mini_train', out_dir=str(tmp_path))
    values = score(metric, perfect(data, detector))
    assert values[f'{PREFIX}/mAP_present'] > 0.99
    report = json.loads((tmp_path / 'metrics.json').read_text())
    present = ['car', 'truck', 'pedestrian', 'traffic_cone', 'barrier']
    assert report['classes_present'] == present
    assert report['num_gt'] == 33
    assert report['mATE'] == pytest.approx(0.5, abs=1e-3)  # the devkit's 1 for absent classes


@pytest.fixture(scope='module')
def toy_root(tmp_path_factory):
    root = tmp_path_factory.mktemp('toy') / 'toy'
    make_toy_world(root, scenes=2, keyframes=2, size=(80, 45), workers=1)
    create_nuscenes_infos(root, 'v1.0-mini')
    return root


@pytest.mark.parametrize('through', ['frames', 'frames and head'])
def test_toy_world_perfect(through, toy_root):
    data = dataset(toy_root)
    detector = echo if through == 'frames' else head_detector(nms_thr=1.0)
    values = score(metric_of(data, eval_split='mini_train'), perfect(data, detector))
    assert values[f'{PREFIX}/mAP_present'] > 0.99
    assert values[f'{PREFIX}/car_vel_err'] < 0.05
    assert values[f'{PREFIX}/car_orient_err'] < 0.01


def test_effect_of_official_scale_nms(real_data, tmp_path):
    """Scale-NMS enlarges pedestrians by half: of two at a distance of 0.8 m it keeps one."""
    data = keyframe_dataset(real_data, tmp_path, test_mode=True)
    metric = metric_of(data, eval_split='mini_train')
    values = score(metric, perfect(data, head_detector(nms_thr=0.2)))
    assert values[f'{PREFIX}/mAP_present'] == pytest.approx(0.9778, abs=1e-3)


def test_report_equals_the_log(root, tmp_path):
    data = dataset(root, 'val')
    values = score(metric_of(data, out_dir=str(tmp_path / 'new')), perfect(data))
    report = json.loads((tmp_path / 'new/metrics.json').read_text())
    for key in ('mAP', 'NDS', 'mAP_present'):
        assert report[key] == values[f'{PREFIX}/{key}']
    assert report['classes']['car']['num_gt'] == 3
    assert set(report['classes']['car']['AP_dist']) == {'0.5', '1.0', '2.0', '4.0'}
    assert report['classes']['traffic_cone']['orient_err'] is None
    assert np.isnan(values[f'{PREFIX}/traffic_cone_orient_err'])
    assert sorted(path.name for path in (tmp_path / 'new').iterdir()) == [
        'metrics.json',
        'predictions',
    ]


def test_no_detection_at_all_scores_zero(root):
    data = dataset(root)
    values = score(metric_of(data, eval_split='mini_train'), [nothing(p) for p in perfect(data)])
    assert values[f'{PREFIX}/mAP'] == 0
    assert values[f'{PREFIX}/NDS'] == 0


def test_wrong_boxes_lower_the_score(root):
    data = dataset(root, 'val')
    predictions = perfect(data)
    for prediction in predictions:
        prediction['pred_instances_3d']['bboxes_3d'].tensor[:, 0] += 3.0
    values = score(metric_of(data), predictions)
    assert values[f'{PREFIX}/car_AP_dist_2.0'] == 0
    assert values[f'{PREFIX}/car_AP_dist_4.0'] > 0.99


def test_samples_are_matched_by_token(root):
    """mmdet3d silently evaluates a reordered data set against the wrong samples."""
    data = dataset(root)
    values = score(metric_of(data, eval_split='mini_train'), perfect(data)[::-1])
    assert values[f'{PREFIX}/mAP_present'] > 0.99


def test_only_the_best_500_boxes_are_used(root):
    data = dataset(root, 'val')
    predictions = perfect(data)
    found = predictions[0]['pred_instances_3d']
    far = LiDARInstance3DBoxes(torch.full((600, 9), 20.0), box_dim=9)
    found['bboxes_3d'] = LiDARInstance3DBoxes.cat([far, found['bboxes_3d']])
    found['scores_3d'] = torch.cat([torch.full((600,), 0.1), found['scores_3d']])
    found['labels_3d'] = torch.cat([torch.zeros(600, dtype=torch.long), found['labels_3d']])
    values = score(metric_of(data), predictions)
    assert values[f'{PREFIX}/pedestrian_AP_dist_0.5'] > 0.99


def test_scene_names_as_split(root):
    data = dataset(root)
    first = perfect(data)[:3]
    values = score(metric_of(data, eval_split=['scene-0061']), first)
    assert values[f'{PREFIX}/mAP_present'] > 0.99
    with pytest.raises(ValueError, match='3 are missing.*scene names'):
        score(metric_of(data, eval_split='mini_train'), first)


def test_wrong_splits(root):
    data = dataset(root)
    with pytest.raises(ValueError, match='got 0 of them'):
        score(metric_of(data, eval_split='mini_val'), perfect(data))
    with pytest.raises(ValueError, match='scene-9999'):
        score(metric_of(data, eval_split=['scene-9999']), perfect(data))
    with pytest.raises(ValueError, match='no_such_split|splits.json'):
        score(metric_of(data, eval_split='no_such_split'), perfect(data))


def test_other_info_file(root):
    with pytest.raises(ValueError, match='use the same info file in the metric and the data set'):
        score(metric_of(dataset(root, 'val')), perfect(dataset(root)))


def test_no_predictions_object(root):
    with pytest.raises(ValueError, match='got none'):
        metric_of(dataset(root, 'val')).evaluate(0)


def test_depth_is_evaluated_too(root, tmp_path):
    data = dataset(root)
    metric = metric_of(data, eval_split='mini_train', out_dir=str(tmp_path))
    lidar = torch.zeros(6, 8, 8)
    lidar[:, 0, 0] = 10.0
    depth = dict(pred_depth=dict(data=torch.full((6, 2, 2), 11.0)), gt_depth=dict(data=lidar))
    names = dict(cam_names=list(data.cameras))
    values = score(metric, [dict(found, **depth, **names) for found in perfect(data)])
    assert values['NuScenes metric/depth/abs_rel'] == pytest.approx(0.1)
    assert values['NuScenes metric/depth/10-20m/abs_rel'] == pytest.approx(0.1)
    assert 'NuScenes metric/depth/0-10m/abs_rel' not in values  # no cell there
    report = json.loads((tmp_path / 'metrics.json').read_text())['depth']
    depth['gt_depth'] = dict(data=torch.zeros_like(lidar))  # testing without sweeps
    values = score(metric, [dict(found, **depth, **names) for found in perfect(data)])
    assert not any('depth' in name for name in values)
    assert report['cells'] == 6 * len(data) and report['cameras']['CAM_BACK']['cells'] == len(data)


def test_code_in_an_info_file_is_not_run(root, tmp_path):
    data, marker = dataset(root), tmp_path / 'code-has-run'
    path = tmp_path / 'infos.pkl'
    infos = pickle.loads((root / 'nuscenes_infos_train.pkl').read_bytes())
    path.write_bytes(pickle.dumps(dict(infos, x=payloads(marker)['system'])))
    metric = BEVDetectionMetric(data_root=str(root), ann_file=str(path), eval_split='mini_train')
    with pytest.raises(UnsafeFileError, match='infos.pkl: expected.*do not trust'):
        metric.dataset_meta = data.metainfo
    metric._dataset_meta = data.metainfo
    with pytest.raises(UnsafeFileError, match='infos.pkl: expected.*do not trust'):
        score(metric, perfect(data))
    assert not marker.exists()
