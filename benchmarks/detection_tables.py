"""Random nuScenes tables in memory, their info file, and predictions of a fictitious detector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from mmdet3d.structures import LiDARInstance3DBoxes
from nuscenes import NuScenes
from nuscenes.eval.detection.utils import category_to_detection_name
from pyquaternion import Quaternion

from hybrid_depth.datasets.nuscenes.annotations import evaluation_entry
from hybrid_depth.datasets.nuscenes.names import ATTRIBUTES, CAMERAS, CLASSES

VERSION = 'v1.0-mini'
RACK = 'static_object.bicycle_rack'
CATEGORIES = (
    'vehicle.car', 'vehicle.truck', 'vehicle.construction', 'vehicle.bus.rigid', 'vehicle.trailer',
    'movable_object.barrier', 'vehicle.motorcycle', 'vehicle.bicycle', 'human.pedestrian.adult',
    'movable_object.trafficcone', RACK, 'animal',
)  # fmt: skip
SHARES = np.array([0.36, 0.08, 0.02, 0.02, 0.03, 0.12, 0.03, 0.03, 0.2, 0.08, 0.01, 0.02])
SCENE_SAMPLES = 40
_SECONDS = 0.5


class Tables(NuScenes):
    """The devkit on tables in memory."""

    def __init__(self, **tables: list[dict]) -> None:
        self.version, self.dataroot, self.table_names = VERSION, Path('memory'), list(tables)
        for name, rows in tables.items():
            setattr(self, name, rows)
        self._token2ind = {
            name: {row['token']: place for place, row in enumerate(rows)}
            for name, rows in tables.items()
        }


def _turn(random: np.random.Generator, tilt: float = 0.02) -> list[float]:
    """Rotation about z with a small tilt, of about unit length as in the tables."""
    axis = [*random.normal(0, tilt, 2), 1.0]
    return Quaternion(axis=axis, radians=random.uniform(-np.pi, np.pi)).q.tolist()


def make_tables(
    samples: int, boxes: int, seed: int = 0, rounded: bool = False, racks: float = 0.01
) -> Tables:
    """Tables of scenes of 40 samples, with boxes around the vehicle.

    Args:
        samples, boxes: number of samples, and of boxes of each.
        seed: of the random numbers.
        rounded: positions in whole metres, so that distances are equal.
        racks: share of bicycle racks.
    """
    random = np.random.default_rng(seed)
    shares = np.where(np.array(CATEGORIES) == RACK, racks, SHARES)
    tables = dict(
        attribute=[dict(token=f'a{i}', name=name) for i, name in enumerate(ATTRIBUTES)],
        scene=[], sample=[], sample_data=[], ego_pose=[], sample_annotation=[],
    )  # fmt: skip
    for index in range(samples):
        token, scene, frame = f's{index}', f'scene-{index // SCENE_SAMPLES}', index % SCENE_SAMPLES
        if frame == 0:
            tables['scene'].append(dict(token=scene, name=scene))
            kinds = random.choice(len(CATEGORIES), boxes, p=shares / shares.sum())
            start, speed = random.uniform(-60, 60, (boxes, 3)), random.normal(0, 3, (boxes, 3))
            speed[random.random(boxes) < 0.5] = 0.0
            start[:, 2] = speed[:, 2] = 0.0
            base = random.uniform(200, 2000, 3)
            sizes = random.uniform(0.4, 5, (boxes, 3))
            sizes[kinds == CATEGORIES.index(RACK)] += [10.0, 10.0, 3.0]  # so that boxes are inside
        place = base + [2.0 * frame, 0.5 * frame, 0.0]
        tables['ego_pose'].append(
            dict(token=token, translation=place.tolist(), rotation=_turn(random))
        )
        tables['sample_data'].append(dict(token=token, ego_pose_token=token))
        names = [f'{scene}-{frame}-{i}' for i in range(boxes)]
        tables['sample'].append(
            dict(token=token, scene_token=scene, timestamp=round(1e6 * _SECONDS * index),
                 data=dict(LIDAR_TOP=token), anns=names)
        )  # fmt: skip
        centres = place + start + speed * _SECONDS * frame
        centres = centres.round() if rounded else centres
        last = frame == SCENE_SAMPLES - 1 or index == samples - 1
        for i, name in enumerate(names):
            category = CATEGORIES[kinds[i]]
            known = random.random() < 0.8 and category_to_detection_name(category)
            alone = i % 10 == 0  # seen in one frame, so that the velocity is unknown
            tables['sample_annotation'].append(
                dict(
                    token=name,
                    sample_token=token,
                    category_name=category,
                    attribute_tokens=[f'a{random.integers(len(ATTRIBUTES))}'] if known else [],
                    translation=centres[i].tolist(),
                    size=sizes[i].tolist(),
                    rotation=_turn(random),
                    prev=f'{scene}-{frame - 1}-{i}' if frame and not alone else '',
                    next=f'{scene}-{frame + 1}-{i}' if not (last or alone) else '',
                    num_lidar_pts=int(random.integers(0, 8)),
                    num_radar_pts=int(random.integers(0, 2)),
                )
            )
    return Tables(**tables)


def make_infos(tables: Tables) -> dict:
    """Content of the info file of tables."""
    counts = {scene['name']: 0 for scene in tables.scene}
    data_list = []
    lidar2ego = Quaternion(axis=[0.01, 0.02, 1], radians=-1.57).transformation_matrix
    lidar2ego[:3, 3] = [0.9, 0.0, 1.8]
    yaws = np.deg2rad([55, 0, -55, 110, 180, -110])
    ahead = Quaternion(0.5, -0.5, 0.5, -0.5)  # x right, y down, z forward
    lidar2cam = {
        name: (Quaternion(axis=[0, 0, 1], radians=yaw + 1.57) * ahead).inverse.transformation_matrix
        for name, yaw in zip(CAMERAS, yaws, strict=True)
    }
    images = {name: dict(lidar2cam=matrix.tolist()) for name, matrix in lidar2cam.items()}
    for sample in tables.sample:
        pose = tables.get('ego_pose', sample['token'])
        ego2global = Quaternion(pose['rotation']).transformation_matrix
        ego2global[:3, 3] = pose['translation']
        counts[sample['scene_token']] += 1
        entry = evaluation_entry(tables, sample['anns'])
        data_list.append(
            dict(
                token=sample['token'],
                scene_token=sample['scene_token'],
                scene_name=sample['scene_token'],
                ego2global=ego2global.tolist(),
                lidar_points=dict(lidar2ego=lidar2ego.tolist()),
                images=images,
                instances=entry['names'],  # the check of the split counts them
                evaluation=entry,
            )
        )
    meta = dict(
        dataset='nuscenes',
        version=VERSION,
        categories={name: label for label, name in enumerate(CLASSES)},
        scenes=counts,
    )
    return dict(metainfo=meta, data_list=data_list)


def make_predictions(
    infos: dict, number: int, seed: int = 0, rounded: bool = False, unknown: float = 0.0
) -> list[dict]:
    """Input of ``BEVDetectionMetric.process``: boxes near the annotated ones, and random ones.

    Args:
        infos: of `make_infos`.
        number: predictions per sample.
        seed: of the random numbers.
        rounded: scores in tenths, centres and sizes in whole metres, and boxes twice.
        unknown: share of velocities that are NaN.
    """
    random = np.random.default_rng(seed)
    predictions = []
    for info in infos['data_list']:
        entry = info['evaluation']
        lidar2global = np.array(info['ego2global']) @ info['lidar_points']['lidar2ego']
        truth = np.array(entry['boxes']).reshape(-1, 12)
        count = min(number, len(truth))
        local = (truth[:count, :3] - lidar2global[:3, 3]) @ lidar2global[:3, :3]
        boxes = random.uniform(-45, 45, (number, 9)) * [1, 1, 0.05, 0, 0, 0, 0.07, 0.05, 0.05]
        boxes[:count, :3] = local + random.normal(0, 0.6, (count, 3))
        boxes[:, 3:6] = random.uniform(0.4, 5, (number, 3))
        boxes[random.random(number) < unknown, 7:] = np.nan
        labels = random.integers(len(CLASSES), size=number)
        right = random.random(count) < 0.8
        known = np.array([CLASSES.index(name) for name in entry['names']], int)[:count]
        labels[:count][right] = known[right]
        scores = random.random(number)
        if rounded:
            boxes[:, :3], boxes[:, 3:6] = boxes[:, :3].round(), boxes[:, 3:6].round() + 1
            scores = scores.round(1)
            twice = np.arange(number) // 2
            boxes, labels = boxes[twice], labels[twice]
        predictions.append(
            dict(
                token=info['token'],
                pred_instances_3d=dict(
                    bboxes_3d=LiDARInstance3DBoxes(torch.from_numpy(boxes).float(), box_dim=9),
                    scores_3d=torch.from_numpy(scores).float(),
                    labels_3d=torch.from_numpy(labels),
                ),
            )
        )
    return predictions
