"""Boxes of one key frame."""

import numpy as np

from hybrid_depth.bev.evaluation.detection_boxes import DetectionBoxes


def make_boxes(x: list[float], labels: list[int], scores: list[float] | None = None):
    """Boxes 4 m long, 2 m wide and 1 m high on the x axis of the global frame."""
    number = len(x)
    return DetectionBoxes(
        sample=np.zeros(number, int),
        label=np.array(labels, int),
        centre=np.stack([x, np.zeros(number), np.ones(number)], 1),
        size=np.tile([2.0, 4.0, 1.0], (number, 1)),
        rotation=np.tile([1.0, 0, 0, 0], (number, 1)),
        velocity=np.zeros((number, 2)),
        attribute=np.full(number, -1),
        score=np.ones(number) if scores is None else np.array(scores, float),
    )
