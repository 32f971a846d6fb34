"""Annotations of a nuScenes sample as entries of an info file."""

from __future__ import annotations

import numpy as np
from nuscenes import NuScenes
from nuscenes.eval.detection.utils import category_to_detection_name

from ...calibration_checks import check_boxes, known_velocities
from .names import CLASSES, InfoError
from .poses import check_rotation

_RACK = 'static_object.bicycle_rack'


def instance_entries(
    nusc: NuScenes, tokens: list[str], global2lidar: np.ndarray
) -> tuple[list[dict], list[str]]:
    """The ``instances`` of one sample, and the tokens of unusable ones.

    LiDAR frame; centre, size l w h, yaw of heading.
    """
    rotation, translation = global2lidar[:3, :3], global2lidar[:3, 3]
    instances, dropped = [], []
    for token in tokens:
        record = nusc.get('sample_annotation', token)
        name = category_to_detection_name(record['category_name'])
        centre = rotation @ record['translation'] + translation
        turn = check_rotation(record['rotation'], f'{nusc.version}/sample_annotation.json, {token}')
        heading = rotation @ turn.rotation_matrix[:, 0]
        width, length, height = record['size']
        points = (record['num_lidar_pts'], record['num_radar_pts'])
        box = [*centre.tolist(), length, width, height, float(np.arctan2(*heading[1::-1]))]
        velocity = (rotation @ nusc.box_velocity(token))[:2]
        if not check_boxes(np.array([box], dtype=np.float64)).all():
            dropped.append(token)
            continue
        known = known_velocities(velocity[None]).all()
        instances.append(
            dict(
                bbox_3d=box,
                bbox_label_3d=CLASSES.index(name) if name else -1,
                velocity=velocity.tolist() if known else [np.nan, np.nan],
                num_lidar_pts=points[0],
                num_radar_pts=points[1],
                bbox_3d_isvalid=sum(points) > 0,
            )
        )
    return instances, dropped


def evaluation_entry(nusc: NuScenes, tokens: list[str]) -> dict[str, list]:
    """The ``evaluation`` of one sample: what the devkit's benchmark reads of it, unchanged numbers.

    Global frame (docs/reference/nuscenes.md, "Evaluation entries"): ``boxes`` (n, 12) of centre
    (3), size w l h (3), rotation w x y z (4) and velocity x y (2; NaN if unknown), with their
    class ``names``, ``attributes`` ('' for none) and ``points`` (LiDAR and radar), in the order of
    the tables, and ``racks`` (m, 10), the bicycle racks.

    Raises:
        InfoError: an annotation with several attributes, or with one that is not in the tables.
    """
    entry = dict(boxes=[], names=[], attributes=[], points=[], racks=[])
    for token in tokens:
        record = nusc.get('sample_annotation', token)
        box = [*record['translation'], *record['size'], *record['rotation']]
        if record['category_name'] == _RACK:
            entry['racks'].append([*map(float, box)])
        name = category_to_detection_name(record['category_name'])
        if name is None:
            continue
        entry['boxes'].append([*map(float, box), *nusc.box_velocity(token)[:2].tolist()])
        entry['names'].append(name)
        entry['attributes'].append(_attribute(nusc, record))
        entry['points'].append(record['num_lidar_pts'] + record['num_radar_pts'])
    return entry


def _attribute(nusc: NuScenes, record: dict) -> str:
    tokens = record['attribute_tokens']
    known = {row['token']: row['name'] for row in nusc.attribute}
    if len(tokens) > 1 or not known.keys() >= set(tokens):
        raise InfoError(
            f'{nusc.version}/sample_annotation.json, {record["token"]}: expected at most one '
            f'attribute of attribute.json, got {tokens}. Unpack or convert the tables again.'
        )
    return known[tokens[0]] if tokens else ''
