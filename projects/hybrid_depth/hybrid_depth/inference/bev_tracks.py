"""Tracks of a detector's boxes over the key frames of a scene."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..visualization.bev import Trail
from .tracks import Tracker

if TYPE_CHECKING:
    from mmdet3d.structures import Det3DDataSample


class SceneTracks:
    """Tracks of the scenes of a data set, whose key frames come in order of time.

    Args:
        score_thr: smallest score of the boxes that are tracked.
    """

    def __init__(self, score_thr: float) -> None:
        self.score_thr = score_thr
        self._trackers: dict[str, Tracker] = {}

    def update(
        self, sample: Det3DDataSample, ego2global: np.ndarray
    ) -> tuple[dict[int, int], list[Trail]]:
        """Associate the boxes of one key frame.

        Args:
            sample: result of `infer_sample`, boxes in the LiDAR frame.
            ego2global: (4, 4) pose of the ego frame of ``lidar2ego``.

        Returns:
            Number of the track by the index of each box above the score; the trails of these
            tracks in the ego frame.
        """
        meta, found = sample.metainfo, sample.pred_instances_3d.cpu().numpy()
        chosen = np.flatnonzero(found.scores_3d >= self.score_thr)
        lidar2global = ego2global @ np.asarray(meta['lidar2ego'], np.float64)
        turn = lidar2global[:3, :3]
        centres = found.bboxes_3d.gravity_center.numpy()[chosen].astype(np.float64)
        velocities = found.bboxes_3d.tensor.numpy()[chosen, 7:9].astype(np.float64)
        tracker = self._trackers.setdefault(str(meta.get('scene_token', '')), Tracker())
        numbers = tracker.update(
            float(meta['timestamp']),
            centres @ turn.T + lidar2global[:3, 3],
            found.labels_3d[chosen],
            found.scores_3d[chosen],
            velocities @ turn[:2, :2].T,
        )
        seen = set(numbers)
        trails = [
            Trail(track.number, track.label, _to_ego(np.array(track.positions), ego2global))
            for track in tracker.tracks
            if track.number in seen
        ]
        return dict(zip(chosen.tolist(), numbers, strict=True)), trails


def _to_ego(positions: np.ndarray, ego2global: np.ndarray) -> np.ndarray:
    return (positions - ego2global[:3, 3]) @ ego2global[:3, :3]
