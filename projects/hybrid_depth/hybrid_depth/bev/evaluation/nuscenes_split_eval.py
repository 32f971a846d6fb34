"""The devkit's detection benchmark on any selection of scenes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nuscenes import NuScenes
from nuscenes.eval.common.loaders import (
    add_center_dist,
    filter_eval_boxes,
    load_gt_of_sample_tokens,
    load_prediction_of_sample_tokens,
)
from nuscenes.eval.detection.data_classes import DetectionBox, DetectionConfig
from nuscenes.eval.detection.evaluate import DetectionEval
from nuscenes.utils.splits import get_scenes_of_split


def split_sample_tokens(nusc: NuScenes, split: str | Sequence[str]) -> list[str]:
    """Sample tokens of a split that are in the tables, in the order of the tables.

    Args:
        nusc: loaded tables.
        split: a split of the devkit, one of the root's ``splits.json``, or scene names.

    Raises:
        ValueError: unknown split, or none of its scenes is in the tables.
    """
    scenes = set(get_scenes_of_split(split, nusc) if isinstance(split, str) else split)
    known = {scene['token']: scene['name'] for scene in nusc.scene}
    tokens = [s['token'] for s in nusc.sample if known[s['scene_token']] in scenes]
    if not tokens:
        raise ValueError(
            f'expected eval_split to name scenes of {nusc.dataroot}/{nusc.version}, got {split}, '
            f'which has none of its scenes ({", ".join(sorted(known.values())[:5])}, ...)'
        )
    return tokens


class SplitDetectionEval(DetectionEval):
    """The devkit's ``DetectionEval`` on given samples; a submission without boxes scores 0.

    Args:
        nusc: loaded tables, with annotations.
        config: benchmark configuration.
        result_path: submission JSON.
        sample_tokens: samples to evaluate; the submission must have entries for exactly these.

    Raises:
        ValueError: the submission has other samples, or these have no annotated boxes.
    """

    def __init__(
        self,
        nusc: NuScenes,
        config: DetectionConfig,
        result_path: str | Path,
        sample_tokens: list[str],
    ):
        self.nusc, self.cfg, self.verbose = nusc, config, False
        self.sample_tokens = sample_tokens
        self.gt_boxes = load_gt_of_sample_tokens(nusc, sample_tokens, DetectionBox)
        if not self.gt_boxes.all:
            raise ValueError(
                f'expected annotated boxes in the {len(sample_tokens)} samples, got none '
                f'({nusc.version} of {nusc.dataroot})'
            )
        self.pred_boxes, self.meta = load_prediction_of_sample_tokens(
            str(result_path), config.max_boxes_per_sample, DetectionBox, sample_tokens
        )
        self.gt_boxes = self._in_range(self.gt_boxes)
        if self.pred_boxes.all:  # the devkit's filter cannot handle an empty submission
            self.pred_boxes = self._in_range(self.pred_boxes)

    def _in_range(self, boxes):
        return filter_eval_boxes(self.nusc, add_center_dist(self.nusc, boxes), self.cfg.class_range)
