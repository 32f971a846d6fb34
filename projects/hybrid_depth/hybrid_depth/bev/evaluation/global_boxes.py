"""Predicted LiDAR-frame boxes in the global frame, as mmdet3d's metric transforms them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pyquaternion import Quaternion

from ...datasets.nuscenes.names import ATTRIBUTES, InfoError
from .detection_boxes import DetectionBoxes
from .detection_protocol import DetectionProtocol
from .quaternion_arrays import about_z, dots, product_matrices, rotated

_MOVING_SPEED = 0.2  # metres per second
# class -> attribute of fast boxes, and of the others
_ATTRIBUTES = dict(
    car=('vehicle.moving', 'vehicle.parked'),
    truck=('vehicle.moving', 'vehicle.parked'),
    trailer=('vehicle.moving', 'vehicle.parked'),
    construction_vehicle=('vehicle.moving', 'vehicle.parked'),
    bus=('vehicle.moving', 'vehicle.stopped'),
    motorcycle=('cycle.with_rider', 'cycle.without_rider'),
    bicycle=('cycle.with_rider', 'cycle.without_rider'),
    pedestrian=('pedestrian.moving', 'pedestrian.standing'),
)


def to_global(
    info: Mapping,
    predicted: Mapping,
    sample: int,
    classes: Sequence[str],
    protocol: DetectionProtocol,
) -> DetectionBoxes:
    """Predictions of a sample in the global frame, without those out of their class's range.

    Numbers equal mmdet3d's, box by box with pyquaternion, to the last digit. Attributes follow from
    the speed. Source: github.com/open-mmlab/mmdetection3d,
    mmdet3d/evaluation/metrics/nuscenes_metric.py.

    Args:
        info: sample of the info file.
        predicted: `bboxes_3d` (LiDARInstance3DBoxes with velocities), `scores_3d`, `labels_3d`.
        sample: its index.
        classes: names of the labels.
        protocol: benchmark.

    Raises:
        InfoError: NaN in a box or score.
    """
    boxes = predicted['bboxes_3d']
    centre = boxes.gravity_center.double().numpy()
    rotation = about_z(boxes.yaw.numpy())
    velocity = np.zeros((len(centre), 3))
    velocity[:, :2] = boxes.tensor[:, 7:9].double().numpy()
    label = _protocol_labels(classes, protocol)[predicted['labels_3d'].numpy()]
    ranges = np.array([*map(float, protocol.ranges.values())])
    frames = (
        ('lidar2ego', np.array(info['lidar_points']['lidar2ego'])),
        (
            'ego2global',
            np.array(info['ego2global']),
        ),
    )
    kept = np.ones(len(centre), bool)
    for name, matrix in frames:
        turn = Quaternion(matrix=matrix, rtol=1e-5, atol=1e-7)
        centre = rotated(turn.rotation_matrix, centre) + matrix[:3, 3]
        rotation = rotated(product_matrices(turn.q[None])[0], rotation)
        velocity = rotated(turn.rotation_matrix, velocity)
        if name == 'lidar2ego':
            kept = ~(np.sqrt(dots(centre[:, :2], centre[:, :2])) > ranges[label])
    found = DetectionBoxes(
        sample=np.full(len(centre), sample),
        label=label,
        centre=centre,
        size=boxes.dims.double().numpy()[:, [1, 0, 2]],
        rotation=rotation,
        velocity=velocity[:, :2],
        attribute=_attributes(velocity, label, protocol),
        score=predicted['scores_3d'].double().numpy(),
    )[kept]
    check_numbers(found, info['token'])
    return found


def check_numbers(boxes: DetectionBoxes, token: str) -> None:
    """Raise InfoError if a box or score of a sample has NaN; velocities may have."""
    numbers = (boxes.centre, boxes.size, boxes.rotation, boxes.score[:, None])
    if np.isnan(np.concatenate(numbers, 1)).any():
        raise InfoError(
            f'expected numbers as predicted boxes and scores of sample {token}, got NaN; did the '
            'training diverge?'
        )


def _protocol_labels(classes: Sequence[str], protocol: DetectionProtocol) -> np.ndarray:
    return np.array([protocol.classes.index(name) for name in classes])


def _attributes(velocity: np.ndarray, label: np.ndarray, protocol: DetectionProtocol) -> np.ndarray:
    """(N,) mmdet3d's attribute of the class and speed; -1 for classes without attributes."""
    table = np.full((len(protocol.classes), 2), -1)
    for place, name in enumerate(protocol.classes):
        if name in _ATTRIBUTES:
            table[place] = [ATTRIBUTES.index(attribute) for attribute in _ATTRIBUTES[name]]
    fast = np.sqrt(velocity[:, 0] ** 2 + velocity[:, 1] ** 2) > _MOVING_SPEED
    return np.where(fast, table[label, 0], table[label, 1])
