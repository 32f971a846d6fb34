"""Scores from info files and predictions equal the devkit's, which reads tables and a file."""

import numpy as np
import pytest
from mmdet3d.evaluation.metrics import NuScenesMetric
from nuscenes.eval.detection.config import config_factory

from benchmarks.detection_tables import make_infos, make_predictions, make_tables
from hybrid_depth.bev.evaluation.detection_boxes import DetectionBoxes
from hybrid_depth.bev.evaluation.detection_protocol import ERRORS, DetectionProtocol
from hybrid_depth.bev.evaluation.evaluate_detections import evaluate_detections
from hybrid_depth.bev.evaluation.global_boxes import to_global
from hybrid_depth.bev.evaluation.nuscenes_split_eval import SplitDetectionEval
from hybrid_depth.bev.evaluation.results_file import read_results, write_results
from hybrid_depth.datasets.nuscenes.names import CLASSES

PROTOCOL = DetectionProtocol()
MODALITY = dict(use_camera=True)


def random_set(seed: int):
    """Tables, info file and predictions; some samples or classes without any, ties, duplicates."""
    random = np.random.default_rng(seed)
    rounded = seed % 3 == 0
    tables = make_tables(random.integers(1, 5), random.integers(1, 40), seed, rounded, 0.2)
    infos = make_infos(tables)
    found = make_predictions(infos, random.integers(0, 40), seed, rounded, unknown=0.1 * (seed % 2))
    for prediction in found:
        if random.random() < 0.2:
            boxes = prediction['pred_instances_3d']
            prediction['pred_instances_3d'] = {key: boxes[key][:0] for key in boxes}
    return tables, infos, found


def global_boxes(infos: dict, found: list[dict]) -> DetectionBoxes:
    return DetectionBoxes.concatenate(
        [
            to_global(info, one['pred_instances_3d'], i, CLASSES, PROTOCOL)
            for i, (info, one) in enumerate(zip(infos['data_list'], found, strict=True))
        ]
    )


def of_mmdet3d(infos: dict, found: list[dict], folder) -> str:
    """Results file of mmdet3d's metric, which converts box by box."""
    metric = NuScenesMetric('', '', modality=MODALITY)
    metric.data_infos = infos['data_list']
    boxes = [one['pred_instances_3d'] for one in found]
    return metric._format_lidar_bbox(boxes, list(range(len(found))), CLASSES, str(folder))


def assert_equal(report: dict, tables, path, tokens) -> None:
    evaluation = SplitDetectionEval(tables, config_factory('detection_cvpr_2019'), path, tokens)
    metrics, _ = evaluation.evaluate()
    expected = metrics.serialize()
    assert report['num_gt'] == len(evaluation.gt_boxes.all)
    assert report['num_predictions'] == len(evaluation.pred_boxes.all)
    for name, entry in report['classes'].items():
        assert list(entry['AP_dist'].values()) == list(expected['label_aps'][name].values()), name
        theirs = expected['label_tp_errors'][name]
        ours = [np.nan if entry[e] is None else entry[e] for e in ERRORS]
        np.testing.assert_array_equal(ours, [theirs[e] for e in ERRORS], name)
    assert (report['mAP'], report['NDS']) == (expected['mean_ap'], expected['nd_score'])
    assert [report[mean] for mean in ERRORS.values()] == [expected['tp_errors'][e] for e in ERRORS]


def check(seed: int, folder) -> None:
    tables, infos, found = random_set(seed)
    tokens = [one['token'] for one in found]
    if not any(info['evaluation']['names'] for info in infos['data_list']):
        return
    theirs = of_mmdet3d(infos, found, folder / 'theirs')
    predicted = global_boxes(infos, found)
    write_results(folder / 'ours.json', predicted, tokens, PROTOCOL, MODALITY)
    assert (folder / 'ours.json').read_bytes() == open(theirs, 'rb').read()
    report = evaluate_detections(infos, tokens, predicted, PROTOCOL, 'memory', resamples=0)
    assert_equal(report, tables, theirs, tokens)
    read, again = read_results(theirs, PROTOCOL)
    assert read == tokens
    assert evaluate_detections(infos, read, again, PROTOCOL, 'file', resamples=0) == report


@pytest.mark.parametrize('seed', range(16))
def test_random_results_equal_the_devkit(seed, tmp_path):
    check(seed, tmp_path)


@pytest.mark.slow
def test_a_thousand_random_results_equal_the_devkit(tmp_path):
    for seed in range(1000):
        check(seed, tmp_path / str(seed))
