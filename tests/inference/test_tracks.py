import numpy as np

from hybrid_depth.inference.tracks import Tracker


def update(tracker, time, objects, order=None):
    """Track numbers of (x, y, label, score, vx, vy), in the given order."""
    rows = np.array(objects, float).reshape(-1, 6)[order if order is not None else slice(None)]
    positions = np.column_stack([rows[:, :2], np.zeros(len(rows))])
    return tracker.update(time, positions, rows[:, 2].astype(int), rows[:, 3], rows[:, 4:])


def test_crossing_objects_keep_their_numbers():
    """Without velocities the nearest positions would swap the two."""
    tracker = Tracker()
    numbers = []
    for step in range(6):
        time = 0.5 * step
        there = (-6 + 6 * time, 0.3, 0, 0.9, 6, 0)
        back = (6 - 6 * time, -0.3, 0, 0.8, -6, 0)
        order = [0, 1] if step % 2 else [1, 0]
        found = update(tracker, time, [there, back], order)
        numbers.append(tuple(np.array(found)[np.argsort(order)]))
    assert len(set(numbers)) == 1 and len(tracker.tracks) == 2
    assert [len(track.positions) for track in tracker.tracks] == [6, 6]


def test_other_classes_and_far_positions_begin_new_tracks():
    tracker = Tracker(gate=4)
    assert update(tracker, 0, [(0, 0, 0, 0.9, 0, 0)]) == [1]
    assert update(tracker, 0.5, [(0, 0, 1, 0.9, 0, 0)]) == [2]
    assert update(tracker, 0.5, [(3.9, 0, 0, 0.9, 0, 0)]) == [1]
    assert update(tracker, 1.0, [(8.0, 0, 0, 0.9, 0, 0)]) == [3]


def test_a_track_is_taken_once_by_the_better_detection():
    tracker = Tracker()
    update(tracker, 0, [(0, 0, 0, 0.9, 0, 0)])
    assert update(tracker, 0.5, [(0.1, 0, 0, 0.4, 0, 0), (1, 0, 0, 0.8, 0, 0)]) == [2, 1]


def test_hidden_objects_are_continued_for_a_while():
    for hidden, number in ((1.5, 1), (1.6, 2)):
        tracker = Tracker(patience=1.5)
        update(tracker, 0, [(0, 0, 0, 0.9, 10, 0)])
        update(tracker, 0.5, [])
        assert update(tracker, hidden, [(10 * hidden, 0, 0, 0.9, 10, 0)]) == [number]


def test_unknown_velocities_count_as_standing():
    tracker = Tracker()
    update(tracker, 0, [(0, 0, 0, 0.9, np.nan, np.nan)])
    assert update(tracker, 0.5, [(0.5, 0, 0, 0.9, np.nan, np.nan)]) == [1]
    assert update(tracker, 1.0, []) == []
