"""True positives, false positives and missed boxes of a key frame."""

from hybrid_depth.bev.evaluation.detection_protocol import DetectionProtocol
from hybrid_depth.viewer.outcomes import FALSE_POSITIVE, MISSED, TRUE_POSITIVE, judge
from tests.viewer.boxes import make_boxes

PROTOCOL = DetectionProtocol()  # matches nearer than 2 m


def test_outcomes_by_class_and_score():
    truth = make_boxes([0, 10, 20], [0, 0, 1])
    predicted = make_boxes([0.5, 0.1, 10, 20, 13], [0, 0, 1, 1, 0], [0.3, 0.2, 0.9, 0.4, 0.8])
    outcomes = judge(truth, predicted, PROTOCOL)
    # the better score takes the box; a box of another class, and one 3 m away, are not matched
    assert outcomes.correct.tolist() == [True, False, False, True, False]
    assert outcomes.missed.centre[:, 0].tolist() == [10]
    sizes = {name: len(boxes) for name, boxes in outcomes.groups()}
    assert sizes == {TRUE_POSITIVE: 2, FALSE_POSITIVE: 3, MISSED: 1}


def test_without_predictions_all_are_missed():
    outcomes = judge(make_boxes([0, 1], [0, 3]), make_boxes([], []), PROTOCOL)
    assert len(outcomes.missed) == 2 and not len(outcomes.predicted)
