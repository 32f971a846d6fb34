"""Detection scores of parts of the boxes: by scene, camera, range, and moving or standing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .detection_boxes import DetectionBoxes
from .detection_protocol import DetectionProtocol
from .detection_scores import DetectionScores, MatchedClass
from .evaluation_samples import EvaluationSamples

EDGES = (0.0, 10.0, 20.0, 30.0, 40.0, 50.0)
_MOVING_SPEED = 0.5  # metres per second


def scores_of_parts(
    matched: Sequence[MatchedClass], samples: EvaluationSamples, protocol: DetectionProtocol
) -> dict[str, dict[str, DetectionScores]]:
    """{'scene', 'camera', 'range' or 'motion': {name of the part: its scores}}

    A box of the ground truth is in the part of its position or velocity, a true positive in that of
    its box, a false positive in that of its own position or velocity. All are matched as in the
    whole set. Parts without boxes are left out.
    """
    found = {}
    for kind, (names, part_of) in _divisions(samples).items():
        truth = [part_of(one.truth) for one in matched]
        predicted = [part_of(one.predicted) for one in matched]
        rows = [
            [
                _rows_by_part(np.where(m >= 0, t[m] if len(t) else m, p), len(names))
                for m in one.matches
            ]
            for one, t, p in zip(matched, truth, predicted, strict=True)
        ]
        boxes = [np.bincount(parts, minlength=len(names)) for parts in truth]
        found[kind] = {
            name: DetectionScores(
                {
                    one.name: one.scores(protocol, [at[i] for at in rows[k]], int(boxes[k][i]))
                    for k, one in enumerate(matched)
                },
                protocol,
            )
            for i, name in enumerate(names)
            if any(counts[i] for counts in boxes)
        }
    return found


def _rows_by_part(parts: np.ndarray, number: int) -> list[np.ndarray]:
    """Indices of the members of each part, ascending."""
    order = np.argsort(parts.astype(np.int16), kind='stable')  # 16 bits sort in linear time
    return np.split(order, np.cumsum(np.bincount(parts, minlength=number))[:-1])


def _divisions(samples: EvaluationSamples) -> dict:
    """{kind: (names of its parts, function from boxes to their part (N,))}"""
    scenes, scene_of = np.unique(samples.scenes, return_inverse=True)
    edges = [*EDGES, np.inf]
    ranges = [f'{low:g}-{high:g} m' for low, high in zip(edges[:-1], edges[1:], strict=True)]
    divisions = dict(
        scene=(scenes.tolist(), lambda boxes: scene_of[boxes.sample]),
        range=(
            ranges,
            lambda boxes: np.searchsorted(EDGES, samples.distance(boxes), side='right') - 1,
        ),
        motion=(['standing', 'moving', 'unknown'], _motion),
    )
    if samples.cameras:
        divisions['camera'] = samples.cameras, lambda boxes: _nearest_camera(boxes, samples)
    return divisions


def _nearest_camera(boxes: DetectionBoxes, samples: EvaluationSamples) -> np.ndarray:
    """Camera whose viewing direction is nearest to that of the centre."""
    offset = boxes.centre[:, :2] - samples.vehicle[boxes.sample, :2]
    directions = samples.directions[boxes.sample]
    return np.einsum('nci,ni->nc', directions, offset).argmax(1)


def _motion(boxes: DetectionBoxes) -> np.ndarray:
    speed = np.sqrt((boxes.velocity**2).sum(1))
    return np.where(np.isnan(speed), 2, speed > _MOVING_SPEED).astype(int)
