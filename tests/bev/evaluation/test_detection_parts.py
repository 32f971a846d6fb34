"""Scores by scene, camera, range and motion, and their bootstrap intervals."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.detection_tables import make_infos, make_predictions, make_tables
from hybrid_depth.bev.evaluation.detection_bootstrap import (
    _scores_of,
    bootstrap_intervals,
    interval_of_difference,
)
from hybrid_depth.bev.evaluation.detection_boxes import DetectionBoxes
from hybrid_depth.bev.evaluation.detection_parts import scores_of_parts
from hybrid_depth.bev.evaluation.detection_protocol import DetectionProtocol
from hybrid_depth.bev.evaluation.detection_report import report_table
from hybrid_depth.bev.evaluation.detection_scores import (
    DetectionScores,
    match_detections,
    score_detections,
)
from hybrid_depth.bev.evaluation.evaluate_detections import evaluate_detections
from hybrid_depth.bev.evaluation.evaluation_samples import EvaluationSamples, read_samples
from tests.bev.evaluation.test_evaluate_detections import global_boxes

PROTOCOL = DetectionProtocol()
NUMBER = 45  # of samples, of two scenes


@pytest.fixture(scope='module')
def evaluated():
    """Samples, their truth, and predictions in range."""
    infos = make_infos(make_tables(NUMBER, 30))
    found = global_boxes(infos, make_predictions(infos, 40))
    samples = read_samples(infos, [i['token'] for i in infos['data_list']], PROTOCOL, 'memory')
    return samples, samples.truth(PROTOCOL), samples.in_range(found, PROTOCOL)


def parts_of(samples: EvaluationSamples, truth: DetectionBoxes, found: DetectionBoxes) -> dict:
    return scores_of_parts(match_detections(truth, found, PROTOCOL), samples, PROTOCOL)


def assert_same(first: DetectionScores, second: DetectionScores) -> None:
    for name, one in first.classes.items():
        other = second.classes[name]
        assert (one.boxes, one.aps) == (other.boxes, other.aps), name
        np.testing.assert_equal(one.errors, other.errors)


def test_every_box_is_in_one_part_of_each_kind(evaluated):
    samples, truth, found = evaluated
    parts = parts_of(samples, truth, found)
    assert set(parts) == {'scene', 'camera', 'range', 'motion'}
    for kind, scores in parts.items():
        boxes = [one.boxes for part in scores.values() for one in part.classes.values()]
        assert sum(boxes) == len(truth), kind
        assert len(scores) > 1, kind


def test_a_scene_has_the_scores_of_its_samples_alone(evaluated):
    samples, truth, found = evaluated
    scene = np.array(samples.scenes) == 'scene-1'
    alone = score_detections(truth[scene[truth.sample]], found[scene[found.sample]], PROTOCOL)
    assert_same(parts_of(samples, truth, found)['scene']['scene-1'], alone)


def test_parts_by_position_and_velocity(evaluated):
    """One box, a match near it and a false positive elsewhere."""
    samples, truth, _ = evaluated
    box = truth[np.array([0])]
    sample = box.sample[0]

    def at(x: float, y: float, speed: float) -> DetectionBoxes:
        """A car x metres along the second camera's view and y metres to its left."""
        ahead = samples.directions[sample, 1]
        left = np.array([-ahead[1], ahead[0]])
        centre = np.append(samples.vehicle[sample, :2] + x * ahead + y * left, 0.0)[None]
        label = np.array([0])
        return replace(box, centre=centre, velocity=np.array([[speed, 0.0]]), label=label)

    found = DetectionBoxes.concatenate([at(9.9, 0, 0), at(-30, 0, 2), at(0, 30, 0)])
    found = replace(found, score=np.array([0.5, 0.9, 0.8]))
    parts = parts_of(samples, at(10.1, 0, 3.0), found)
    names = {kind: list(scores) for kind, scores in parts.items() if kind != 'scene'}
    assert names == dict(camera=['CAM_FRONT'], range=['10-20 m'], motion=['moving'])
    # the match counts where its box is, though it is nearer than 10 m and slow
    assert parts['camera']['CAM_FRONT'].classes['car'].aps[0.5] == pytest.approx(1)
    assert parts['range']['10-20 m'].classes['car'].aps[0.5] == pytest.approx(1)
    assert parts['motion']['moving'].classes['car'].aps[0.5] < 0.5, 'one false positive moves'
    unknown = replace(at(10.1, 0, 0), velocity=np.full((1, 2), np.nan))
    assert list(parts_of(samples, unknown, found)['motion']) == ['unknown']


def test_scores_with_repeated_samples_are_those_of_their_copies(evaluated):
    samples, truth, found = evaluated
    times = np.random.default_rng(0).integers(0, 3, NUMBER)
    copies = [
        [replace(boxes[boxes.sample == s], sample=np.full((boxes.sample == s).sum(), 1000 * c + s))
         for s in range(NUMBER) for c in range(times[s])]
        for boxes in (truth, found)
    ]  # fmt: skip
    expected = score_detections(*map(DetectionBoxes.concatenate, copies), PROTOCOL)
    assert_same(_scores_of(match_detections(truth, found, PROTOCOL), times, PROTOCOL), expected)


def test_intervals(evaluated):
    samples, truth, found = evaluated
    matched = match_detections(truth, found, PROTOCOL)
    scores = score_detections(truth, found, PROTOCOL)
    few = bootstrap_intervals(matched, samples, PROTOCOL, 40)
    assert (few['unit'], few['units'], few['resamples']) == ('samples', NUMBER, 40)
    low, high = few['mAP']
    assert low < scores.mean_ap < high and high - low < 0.5
    assert few == bootstrap_intervals(matched, samples, PROTOCOL, 40), 'the same draws each time'
    assert np.percentile(few['draws']['mAP'], (2.5, 97.5)).tolist() == few['mAP']
    many = replace(samples, scenes=[f'scene {i // 4}' for i in range(NUMBER)])
    assert bootstrap_intervals(matched, many, PROTOCOL, 2)['unit'] == 'scenes'
    one = replace(samples, scenes=['a'] * NUMBER, tokens=['t'])  # one unit, drawn once
    one_sample = [replace_samples(m) for m in matched]
    assert bootstrap_intervals(one_sample, one, PROTOCOL, 2)['NDS'] == [scores.nds] * 2


def test_differences_of_draws_are_paired(evaluated):
    """A model against itself with a third of the boxes lost: the difference varies less over the
    sets than the scores do."""
    samples, truth, found = evaluated
    fewer = found[np.arange(len(found)) % 3 > 0]
    own, less = (
        bootstrap_intervals(match_detections(truth, f, PROTOCOL), samples, PROTOCOL, 40)
        for f in (found, fewer)
    )
    low, high = interval_of_difference(own['draws']['mAP'], less['draws']['mAP'])
    assert 0 < low < high < low + own['mAP'][1] - own['mAP'][0]
    with pytest.raises(ValueError, match='same sets, got 40 and 39'):
        interval_of_difference(own['draws']['mAP'], less['draws']['mAP'][1:])


def replace_samples(matched):
    """All boxes in the first sample."""
    first = {
        name: replace(boxes, sample=np.zeros_like(boxes.sample))
        for name, boxes in dict(truth=matched.truth, predicted=matched.predicted).items()
    }
    return replace(matched, **first)


def test_report_has_parts_and_interval():
    infos = make_infos(make_tables(3, 20))
    found = global_boxes(infos, make_predictions(infos, 20))
    tokens = [info['token'] for info in infos['data_list']]
    report = evaluate_detections(infos, tokens, found, PROTOCOL, 'memory', resamples=3)
    assert report['interval']['unit'] == 'samples'
    assert set(report['parts']['scene']['scene-0']['AP']) == set(report['classes_present'])
    assert report['parts']['scene']['scene-0']['NDS'] == report['NDS']
    table = report_table(report)
    assert 'bootstrap over 3 samples, too narrow' in table and 'camera CAM_BACK' in table
