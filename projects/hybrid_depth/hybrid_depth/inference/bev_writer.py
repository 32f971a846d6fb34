"""Output of detections to files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from mmdet3d.structures import Det3DDataSample

from ..bev.hooks.bev_visualization_hook import scene_of
from ..files import atomic_file, file_name
from ..geometry import CameraRig
from ..visualization import write_png
from ..visualization.sheet import make_sheet
from .bev_tracks import SceneTracks


def write_keyframe(
    sample: Det3DDataSample,
    packed: dict,
    class_names: Sequence[str],
    out: Path,
    score_thr: float = 0.3,
    tracks: SceneTracks | None = None,
) -> np.ndarray:
    """Write all boxes to `<number>_<token>.json` and a sheet (see `make_sheet`) to `.png`.

    Args:
        sample: result of `infer_bev`.
        packed: its item of the data set.
        class_names: name of each label.
        out: output folder.
        score_thr: smallest score of the boxes drawn.
        tracks: tracks of the scene so far; the boxes are added, and the tracks drawn.

    Returns:
        The sheet.
    """
    inputs, meta = packed['inputs'], sample.metainfo
    name = f'{meta["sample_idx"]:06d}_{file_name(meta["token"])}'
    scene = scene_of(sample, CameraRig.collate([inputs['rig']]), tuple(inputs['img'].shape[-2:]))
    numbers = {}
    if tracks is not None:
        numbers, trails = tracks.update(sample, inputs['rig']['ego2global'].double().numpy())
        scene = replace(scene, trails=trails)
    with atomic_file(out / f'{name}.json', 'w') as file:
        json.dump(describe_boxes(sample, class_names, numbers), file)
    sheet = make_sheet(scene, class_names, score_thr)
    write_png(sheet, out / f'{name}.png')
    return sheet


def describe_boxes(
    sample: Det3DDataSample, class_names: Sequence[str], numbers: Mapping[int, int] | None = None
) -> dict:
    """Boxes as JSON data, best first: class, score, centre, size, yaw and velocity, and the number
    of the track of those that have one.

    LiDAR frame, metres, radians counter-clockwise from +x, m/s; the centre is the gravity centre.
    """
    found = sample.pred_instances_3d.cpu().numpy()
    boxes = found.bboxes_3d
    centres, rows = boxes.gravity_center.tolist(), boxes.tensor.tolist()
    order = found.scores_3d.argsort()[::-1]
    return dict(
        token=sample.metainfo['token'],
        frame='lidar',
        boxes=[
            dict(
                name=class_names[int(found.labels_3d[i])],
                score=float(found.scores_3d[i]),
                centre=centres[i],
                size=rows[i][3:6],
                yaw=rows[i][6],
                velocity=rows[i][7:9],
                **(dict(track=numbers[i]) if numbers and i in numbers else {}),
            )
            for i in order
        ],
    )
