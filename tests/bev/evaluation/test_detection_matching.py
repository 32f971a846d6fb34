"""Matching of centres: limits, ties, order."""

import numpy as np

from hybrid_depth.bev.evaluation.detection_boxes import DetectionBoxes
from hybrid_depth.bev.evaluation.detection_matching import match_by_distance, ranks_in_groups


def boxes(x: list[float], samples: list[int] | None = None) -> DetectionBoxes:
    number = len(x)
    return DetectionBoxes(
        sample=np.array(samples or [0] * number, int),
        label=np.zeros(number, int),
        centre=np.stack([x, np.zeros(number), np.full(number, 9.0)], 1),
        size=np.ones((number, 3)),
        rotation=np.tile([1.0, 0, 0, 0], (number, 1)),
        velocity=np.zeros((number, 2)),
        attribute=np.full(number, -1),
        score=np.ones(number),
    )


def test_a_match_is_nearer_than_the_limit():
    found = match_by_distance(boxes([0.0]), boxes([4.0, 3.9999999]), (1.0, 4.0))
    assert found.tolist() == [[-1, -1], [-1, 0]]


def test_the_first_prediction_takes_the_nearest_box_the_next_one_what_is_left():
    found = match_by_distance(boxes([0.0, 1.0, 5.0]), boxes([0.9, 0.8, 0.7]), (0.5, 2.0))
    assert found.tolist() == [[1, -1, -1], [1, 0, -1]]


def test_of_equal_distances_the_earlier_box_is_taken():
    assert match_by_distance(boxes([1.0, -1.0]), boxes([0.0]), (2.0,)).tolist() == [[0]]


def test_samples_are_apart():
    truth, found = boxes([0.0, 0.0], [7, 3]), boxes([0.1, 0.0, 0.2, 0.0], [3, 5, 3, 7])
    assert match_by_distance(truth, found, (1.0,)).tolist() == [[1, -1, -1, 0]]


def test_nothing_to_match():
    for truth, found in ((boxes([]), boxes([0.0])), (boxes([0.0]), boxes([]))):
        assert (match_by_distance(truth, found, (1.0,)) == -1).all()


def test_ranks():
    assert ranks_in_groups(np.array([5, 2, 5, 5, 2])).tolist() == [0, 0, 1, 2, 1]
