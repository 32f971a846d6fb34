"""Scores equal the nuScenes devkit's to the last digit."""

import numpy as np
import pytest
from nuscenes.eval.common.data_classes import EvalBoxes
from nuscenes.eval.detection.algo import accumulate, calc_ap, calc_tp
from nuscenes.eval.detection.config import config_factory
from nuscenes.eval.detection.data_classes import DetectionBox, DetectionMetrics

from hybrid_depth.bev.evaluation.detection_boxes import DetectionBoxes
from hybrid_depth.bev.evaluation.detection_protocol import ERRORS, DetectionProtocol
from hybrid_depth.bev.evaluation.detection_scores import score_detections

ATTRIBUTES = ('', 'vehicle.moving', 'vehicle.parked')
CONFIG = config_factory('detection_cvpr_2019')
CLASSES = list(CONFIG.class_range)


def random_boxes(random, samples, most, classes, ties) -> DetectionBoxes:
    counts = random.integers(0, most + 1, samples) * (random.random(samples) > 0.2)
    sample = np.repeat(np.arange(samples), counts)
    number = len(sample)
    centre = random.normal(0, 4, (number, 3))
    score = random.random(number)
    if ties:
        centre, score = centre.round(), score.round(1)
    velocity = random.normal(0, 2, (number, 2))
    velocity[random.random(number) < 0.1] = np.nan
    label = random.choice(classes, number)
    size = random.uniform(0.3, 5, (number, 3))
    rotation = random.normal(size=(number, 4)) * [1, 0.1, 0.1, 1]
    attribute = random.integers(-1, 2, number)
    return DetectionBoxes(sample, label, centre, size, rotation, velocity, attribute, score)


def of_devkit(boxes: DetectionBoxes, samples: int) -> EvalBoxes:
    found = EvalBoxes()
    lists = {str(sample): [] for sample in range(samples)}
    for i in range(len(boxes)):
        lists[str(boxes.sample[i])].append(
            DetectionBox(
                sample_token=str(boxes.sample[i]),
                translation=tuple(boxes.centre[i].tolist()),
                size=tuple(boxes.size[i].tolist()),
                rotation=tuple(boxes.rotation[i].tolist()),
                velocity=tuple(boxes.velocity[i].tolist()),
                detection_name=CLASSES[boxes.label[i]],
                detection_score=float(boxes.score[i]),
                attribute_name=ATTRIBUTES[boxes.attribute[i] + 1],
            )
        )
    for sample, entries in lists.items():
        found.add_boxes(sample, entries)
    return found


def devkit_scores(truth: EvalBoxes, predicted: EvalBoxes) -> DetectionMetrics:
    metrics = DetectionMetrics(CONFIG)
    for name in CLASSES:
        for distance in CONFIG.dist_ths:
            data = accumulate(truth, predicted, name, CONFIG.dist_fcn_callable, distance)
            ap = calc_ap(data, CONFIG.min_recall, CONFIG.min_precision)
            metrics.add_label_ap(name, distance, ap)
            if distance == CONFIG.dist_th_tp:
                for error in ERRORS:
                    undefined = error in DetectionProtocol().undefined.get(name, ())
                    value = np.nan if undefined else calc_tp(data, CONFIG.min_recall, error)
                    metrics.add_label_tp(name, error, value)
    return metrics


@pytest.mark.parametrize('seed', range(12))
def test_random_sets_equal_the_devkit(seed):
    """Empty samples and classes, equal scores, distances and boxes, unknown velocities."""
    random = np.random.default_rng(seed)
    samples, ties = random.integers(1, 12), seed % 3 == 0
    classes = random.choice(10, random.integers(1, 11), replace=False)
    truth = random_boxes(random, samples, 12, classes, ties)
    predicted = random_boxes(random, samples, 20, random.permutation(classes)[:8], ties)
    if seed % 2 and len(truth):  # good predictions
        near = truth[random.random(len(truth)) < 0.8]
        moved = near.centre + random.normal(0, 0.5, near.centre.shape)
        near = DetectionBoxes(**{**vars(near), 'centre': moved})
        predicted = DetectionBoxes.concatenate([predicted, near])
        predicted = predicted[np.argsort(predicted.sample, kind='stable')]
    expected = devkit_scores(of_devkit(truth, samples), of_devkit(predicted, samples))
    scores = score_detections(truth, predicted, DetectionProtocol())
    for name in CLASSES:
        ours = scores.classes[name]
        assert ours.aps == dict(expected.serialize()['label_aps'][name]), name
        theirs = expected.serialize()['label_tp_errors'][name]
        np.testing.assert_array_equal([ours.errors[e] for e in ERRORS], [theirs[e] for e in ERRORS])
    assert scores.mean_ap == expected.mean_ap and scores.nds == expected.nd_score
    assert scores.errors == expected.tp_errors


def test_protocol_is_the_devkits():
    protocol = DetectionProtocol()
    assert protocol.ranges == CONFIG.class_range and protocol.classes == CLASSES
    assert list(protocol.distances) == CONFIG.dist_ths
    assert protocol.error_distance == CONFIG.dist_th_tp
    assert (protocol.min_recall, protocol.min_precision) == (0.1, 0.1)
    assert protocol.ap_weight == CONFIG.mean_ap_weight
