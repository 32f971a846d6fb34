"""Samples of an info file for evaluation: ground truth, vehicle positions, scenes, cameras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pyquaternion import Quaternion

from ...datasets.nuscenes.names import ATTRIBUTES, CLASSES, InfoError
from .detection_boxes import DetectionBoxes
from .detection_protocol import DetectionProtocol
from .evaluation_split import old_info_file
from .quaternion_arrays import about_z, dots, rotation_matrices


@dataclass(frozen=True)
class EvaluationSamples:
    """Ground truth of samples, in the global frame.

    Attributes:
        tokens: of the samples.
        scenes: their scenes, by name if known.
        vehicle: (S, 3) positions of the vehicle at LiDAR time.
        cameras: names of those that all samples have.
        directions: (S, C, 2) unit viewing directions of the cameras, x and y.
        boxes: annotated boxes of the protocol's classes.
        points: (N,) LiDAR and radar points of each box.
        rack_sample, racks: (R,) sample and (R, 10) centre, size, rotation of bicycle racks.
    """

    tokens: list[str]
    scenes: list[str]
    vehicle: np.ndarray
    cameras: list[str]
    directions: np.ndarray
    boxes: DetectionBoxes
    points: np.ndarray
    rack_sample: np.ndarray
    racks: np.ndarray

    def truth(self, protocol: DetectionProtocol) -> DetectionBoxes:
        """Boxes that count: in range, with enough points, not inside a rack."""
        seen = self.points >= protocol.min_points
        return self.in_range(self.boxes[seen], protocol)

    def in_range(self, boxes: DetectionBoxes, protocol: DetectionProtocol) -> DetectionBoxes:
        """Boxes, predicted ones too, in the range of their class and not inside a rack."""
        ranges = np.array([*map(float, protocol.ranges.values())])
        boxes = boxes[self.distance(boxes) < ranges[boxes.label]]
        return boxes[~self._in_racks(boxes, protocol)]

    def distance(self, boxes: DetectionBoxes) -> np.ndarray:
        """(N,) distance of the centres from the vehicle, x and y, metres."""
        offset = boxes.centre[:, :2] - self.vehicle[boxes.sample, :2]
        return np.sqrt(offset[:, 0] ** 2 + offset[:, 1] ** 2)

    def _in_racks(self, boxes: DetectionBoxes, protocol: DetectionProtocol) -> np.ndarray:
        """(N,) centres inside a bicycle rack, by the devkit's ``points_in_box``."""
        labels = [i for i, name in enumerate(protocol.classes) if name in protocol.rack_classes]
        inside = np.zeros(len(boxes), bool)
        candidates = np.flatnonzero(
            np.isin(boxes.label, labels) & np.isin(boxes.sample, self.rack_sample)
        )
        corners = _corners(self.racks)
        for sample, rack in zip(self.rack_sample, corners, strict=True):
            near = candidates[boxes.sample[candidates] == sample]
            offset = boxes.centre[near] - rack[:, 0]
            within = np.ones(len(near), bool)
            for other in (4, 1, 3):  # along the length, the height and the width
                edge = np.tile(rack[:, other] - rack[:, 0], (len(near), 1))
                along = dots(edge, offset)
                within &= (along >= 0) & (along <= dots(edge, edge))
            inside[near] |= within
        return inside


def _corners(racks: np.ndarray) -> np.ndarray:
    """(R, 3, 8) corners of boxes in the devkit's order."""
    width, length, height = racks[:, 3:6].T
    signs = np.array(
        [[1, 1, 1, 1, -1, -1, -1, -1], [1, -1, -1, 1, 1, -1, -1, 1], [1, 1, -1, -1, 1, 1, -1, -1]]
    )
    halves = np.stack([length / 2, width / 2, height / 2], 1)
    corners = np.matmul(rotation_matrices(racks[:, 6:]), halves[:, :, None] * signs)
    return corners + racks[:, :3, None]


def read_samples(
    content: Mapping, tokens: Sequence[str], protocol: DetectionProtocol, source: str
) -> EvaluationSamples:
    """Ground truth of some samples of an info file.

    nuScenes' boxes are those of `evaluation`, in the numbers of the tables. Of other data and other
    classes, boxes of `instances` are transformed to the global frame; they have no attributes.

    Args:
        content: of the info file.
        tokens: samples, in the order of the predictions.
        protocol: benchmark.
        source: info file, for errors.

    Raises:
        InfoError: the file lacks a class, or is older than `evaluation`.
    """
    infos = {info['token']: info for info in content['data_list']}
    chosen = [infos[token] for token in tokens]
    entries = _entries(content['metainfo'], chosen, protocol, source)
    counts = [len(entry['names']) for entry in entries]
    rows = np.array([row for entry in entries for row in entry['boxes']], float).reshape(-1, 12)
    labels = {name: label for label, name in enumerate(protocol.classes)}
    boxes = DetectionBoxes(
        sample=np.repeat(np.arange(len(chosen)), counts),
        label=np.array([labels.get(name, -1) for e in entries for name in e['names']], int),
        centre=rows[:, :3],
        size=rows[:, 3:6],
        rotation=rows[:, 6:10],
        velocity=rows[:, 10:],
        attribute=np.array([attribute_index(a) for e in entries for a in e['attributes']], int),
        score=np.ones(len(rows)),
    )
    kept = boxes.label >= 0
    images = [info.get('images', {}) for info in chosen]
    cameras = [name for name in images[0] if all(name in one for one in images)]
    return EvaluationSamples(
        tokens=list(tokens),
        scenes=[info.get('scene_name', info.get('scene_token', '')) for info in chosen],
        vehicle=np.array([np.array(info['ego2global'])[:3, 3] for info in chosen]).reshape(-1, 3),
        cameras=cameras,
        directions=_viewing_directions(chosen, cameras)
        if cameras
        else np.empty((len(chosen), 0, 2)),
        boxes=boxes[kept],
        points=np.array([n for e in entries for n in e['points']], int)[kept],
        rack_sample=np.repeat(np.arange(len(chosen)), [len(e['racks']) for e in entries]),
        racks=np.array([row for e in entries for row in e['racks']], float).reshape(-1, 10),
    )


def attribute_index(name: str) -> int:
    """Index in `ATTRIBUTES`, -1 for none.

    Raises:
        InfoError: an unknown attribute.
    """
    if name and name not in ATTRIBUTES:
        raise InfoError(f'expected an attribute among {", ".join(ATTRIBUTES)}, got {name!r}')
    return ATTRIBUTES.index(name) if name else -1


def _entries(
    meta: Mapping, infos: Sequence[Mapping], protocol: DetectionProtocol, source: str
) -> list[dict[str, list]]:
    """`evaluation` of samples; for own classes or data made from the boxes for training."""
    if meta.get('dataset') == 'nuscenes' and set(protocol.classes) <= set(CLASSES):
        if not all('evaluation' in info for info in infos):
            raise old_info_file(meta, source)
        return [info['evaluation'] for info in infos]
    categories = meta.get('categories', {})
    absent = [name for name in protocol.classes if name not in categories]
    if absent:
        raise InfoError(
            f'{source}: expected categories with {", ".join(protocol.classes)}, got none named '
            f'{", ".join(absent)}'
        )
    names = {label: name for name, label in categories.items()}
    return [_of_instances(info, names) for info in infos]


def _of_instances(info: Mapping, names: Mapping[int, str]) -> dict[str, list]:
    """`evaluation` of a sample, from its LiDAR-frame `instances`."""
    lidar2global = np.array(info['ego2global']) @ np.array(info['lidar_points']['lidar2ego'])
    turn = Quaternion(matrix=lidar2global, rtol=1e-5, atol=1e-7)
    entry = dict(boxes=[], names=[], attributes=[], points=[], racks=[])
    for item in info.get('instances', ()):
        x, y, z, length, width, height, yaw = item['bbox_3d'][:7]
        centre = lidar2global[:3, :3] @ [x, y, z] + lidar2global[:3, 3]
        velocity = lidar2global[:2, :2] @ item.get('velocity', [np.nan, np.nan])
        rotation = turn * Quaternion(about_z(np.array([yaw]))[0])
        entry['boxes'].append([*centre, width, length, height, *rotation.q, *velocity])
        entry['names'].append(names.get(item['bbox_label_3d'], ''))
        entry['attributes'].append('')
        valid = int(item.get('bbox_3d_isvalid', True))  # of data that do not count points
        entry['points'].append(item.get('num_lidar_pts', valid) + item.get('num_radar_pts', 0))
    return entry


def _viewing_directions(infos: Sequence[Mapping], cameras: Sequence[str]) -> np.ndarray:
    """(S, C, 2) unit viewing directions in the global frame, x and y."""
    lidar2global = [
        np.array(info['ego2global']) @ np.array(info['lidar_points']['lidar2ego']) for info in infos
    ]
    lidar2cam = [[info['images'][name]['lidar2cam'] for name in cameras] for info in infos]
    ahead = np.array(lidar2cam, dtype=float)[:, :, 2, :3]  # z axes in the LiDAR frame
    ahead = np.einsum('sij,scj->sci', np.array(lidar2global)[:, :2, :3], ahead)
    return ahead / np.linalg.norm(ahead, axis=-1, keepdims=True)
