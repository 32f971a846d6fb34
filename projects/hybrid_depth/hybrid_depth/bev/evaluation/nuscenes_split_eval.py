"""The devkit's detection benchmark on any selection of scenes."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from types import SimpleNamespace

from nuscenes import NuScenes
from nuscenes.eval.common.data_classes import EvalBoxes
from nuscenes.eval.common.loaders import (
    add_center_dist,
    filter_eval_boxes,
    load_gt_of_sample_tokens,
    load_prediction_of_sample_tokens,
)
from nuscenes.eval.detection.data_classes import DetectionBox, DetectionConfig
from nuscenes.eval.detection.evaluate import DetectionEval

from ...datasets.nuscenes.names import InfoError
from ...text_files import read_json
from .evaluation_split import require_scenes, scenes_of_split


def split_sample_tokens(nusc: NuScenes, split: str | Sequence[str]) -> list[str]:
    """Sample tokens of a split that are in the tables, in the order of the tables.

    Args:
        nusc: loaded tables.
        split: a split of the devkit, one of the root's ``splits.json``, or scene names.

    Raises:
        InfoError: unknown split, or none of its scenes is in the tables.
    """
    scenes = scenes_of_split(split, nusc.dataroot, nusc.version)
    known = {scene['token']: scene['name'] for scene in nusc.scene}
    require_scenes(scenes, set(known.values()), split, f'{nusc.dataroot}/{nusc.version}')
    return [s['token'] for s in nusc.sample if known[s['scene_token']] in scenes]


def read_tables(root: str | Path, version: str) -> SimpleNamespace:
    """Scenes and samples of a root, for `split_sample_tokens`: a second instead of half a minute
    for all tables.

    Raises:
        FileNotFoundError, DamagedFileError: they do not read.
    """
    tables = {}
    for name in ('scene', 'sample'):
        tables[name] = read_json(Path(root, version, f'{name}.json'), list)
    return SimpleNamespace(dataroot=str(root), version=version, **tables)


def of_classes(config: DetectionConfig, classes: Sequence[str]) -> DetectionConfig:
    """The benchmark configuration for a detector of some of its classes."""
    selected = copy(config)
    selected.class_names = [name for name in config.class_names if name in classes]
    selected.class_range = {name: config.class_range[name] for name in selected.class_names}
    return selected


class SplitDetectionEval(DetectionEval):
    """The devkit's ``DetectionEval`` on given samples; a submission without boxes scores 0.

    Args:
        nusc: loaded tables, with annotations.
        config: benchmark configuration, or a part of it (`of_classes`).
        result_path: submission JSON.
        sample_tokens: samples to evaluate; the submission must have entries for exactly these.

    Raises:
        InfoError: the submission has other samples, or these have no annotated boxes.
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
            raise InfoError(
                f'expected annotated boxes in the {len(sample_tokens)} samples, got none '
                f'({nusc.version} of {nusc.dataroot})'
            )
        self.pred_boxes, self.meta = load_prediction_of_sample_tokens(
            str(result_path), config.max_boxes_per_sample, DetectionBox, sample_tokens
        )
        self.gt_boxes = self._in_range(_of_names(self.gt_boxes, config.class_names))
        if self.pred_boxes.all:  # the devkit's filter cannot handle an empty submission
            self.pred_boxes = self._in_range(self.pred_boxes)

    def _in_range(self, boxes):
        return filter_eval_boxes(self.nusc, add_center_dist(self.nusc, boxes), self.cfg.class_range)


def _of_names(boxes: EvalBoxes, names: Sequence[str]) -> EvalBoxes:
    """Boxes of the classes evaluated."""
    kept = EvalBoxes()
    for token in boxes.sample_tokens:
        kept.add_boxes(token, [box for box in boxes[token] if box.detection_name in names])
    return kept
