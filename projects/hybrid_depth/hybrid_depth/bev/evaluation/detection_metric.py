"""Detection metric (mAP, NDS) for mmengine's Runner, from info files and predictions alone."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from mmdet3d.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log

from ...datasets.nuscenes.names import InfoError
from ...depth.evaluation.metrics import range_scores
from ...files import atomic_file
from ...info_files import read_infos
from .detection_boxes import DetectionBoxes
from .detection_protocol import ERRORS, DetectionProtocol, load_detection_protocol
from .detection_report import report_table
from .evaluate_detections import RESAMPLES, evaluate_detections
from .evaluation_split import check_coverage, split_tokens
from .global_boxes import to_global
from .results_file import write_results
from .rig_depth import rig_depth_report, rig_depth_sums, rig_depth_table

_MODALITY = dict(
    use_camera=True, use_lidar=False, use_radar=False, use_map=False, use_external=False
)
_RESULTS = Path('pred_instances_3d', 'results_nusc.json')  # mmdet3d's path


@METRICS.register_module()
class BEVDetectionMetric(BaseMetric):
    """nuScenes' detection metric, from info files and predictions alone.

    On nuScenes data equal to the devkit to the last digit (docs/reference/nuscenes.md, "Scores").
    Takes LiDAR-frame boxes. Samples are matched by token, so subsets and reordered data sets are
    evaluated correctly, unlike in mmdet3d's metric (docs/reference/nuscenes.md,
    "mmdet3d's metric"); they must be exactly the split's samples. Metric names are mmdet3d's and
    ``mAP_present``; the report also has scores by scene, camera, range and motion, and bootstrap
    intervals. If the pipeline loads LiDAR depth, the depth net's expected depth is evaluated too:
    ``depth/abs_rel``, ``depth/rmse`` and ``depth/a1``, and by camera and range in the report
    (``rig_depth_sums``).

    The split, the info file and its boxes are checked when the data set is known, before any
    inference. For a detector of some of the classes, mAP and NDS are over these classes.

    Args:
        data_root: data set, for its ``splits.json``.
        ann_file: info file.
        eval_split: a split of nuScenes ('mini_train', 'val', ...), one of the root's
            ``splits.json``, or a list of scene names; None for the version's validation split, of
            other data for all samples.
        out_dir: folder of ``metrics.json`` and, before they are scored, of the predictions; None
            writes no file.
        protocol: fields of `DetectionProtocol` that differ from nuScenes', such as ``ranges`` of
            own classes.
        resamples: of the bootstrap intervals; 0 for none.
        format_only: only write the predictions.
        jsonfile_prefix: their folder; None for ``out_dir/predictions``.
        modality: ``meta`` of the file of predictions; None for camera only.

    Raises:
        ConfigError: the protocol is not one, or lacks a class.
        InfoError: unknown split; predictions for other samples than the split's; no ground truth.
    """

    default_prefix = 'NuScenes metric'

    def __init__(
        self,
        data_root: str,
        ann_file: str,
        eval_split: str | Sequence[str] | None = None,
        out_dir: str | None = None,
        protocol: Mapping | None = None,
        resamples: int = RESAMPLES,
        format_only: bool = False,
        jsonfile_prefix: str | None = None,
        modality: Mapping[str, bool] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.data_root, self.ann_file, self.eval_split = data_root, ann_file, eval_split
        self.out_dir, self.format_only, self.resamples = out_dir, format_only, resamples
        if jsonfile_prefix is None and out_dir is not None:
            jsonfile_prefix = str(Path(out_dir, 'predictions'))
        if format_only and jsonfile_prefix is None:
            raise InfoError('expected jsonfile_prefix or out_dir with format_only, got none')
        self.jsonfile_prefix = jsonfile_prefix
        self.modality = dict(_MODALITY if modality is None else modality)
        self._settings = load_detection_protocol(protocol)

    @property
    def dataset_meta(self) -> dict | None:
        """``metainfo`` of the data set; when it is set, classes and split are checked."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        self._dataset_meta = meta
        self._protocol()
        if not self.format_only:
            self.check_infos(read_infos(self.ann_file))

    def check_infos(self, content: dict) -> list[str]:
        """Sample tokens of the split; raises InfoError if the info file lacks some, or boxes."""
        return split_tokens(content, self.eval_split, self.data_root, self.ann_file)

    def _protocol(self) -> DetectionProtocol:
        return self._settings.of_classes(self.dataset_meta['classes'])

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep the best predictions of a batch, on the CPU."""
        for sample in data_samples:
            predicted = sample['pred_instances_3d']
            best = torch.argsort(predicted['scores_3d'], descending=True)
            best = best[: self._settings.max_boxes]
            kept = {key: predicted[key][best].to('cpu') for key in predicted}
            entry = dict(token=sample['token'], pred_instances_3d=kept)
            if 'gt_depth' in sample and 'pred_depth' in sample:
                maps = (sample[key]['data'] for key in ('pred_depth', 'gt_depth'))
                entry['depth'] = (tuple(sample['cam_names']), rig_depth_sums(*maps))
            self.results.append(entry)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Write the predictions, score them, log the tables and write the report."""
        if not results:
            raise InfoError('expected predictions, got none from any batch')
        content, protocol = read_infos(self.ann_file), self._protocol()
        tokens = [result['token'] for result in results]
        predicted = self._global_boxes(content, results, protocol)
        if self.jsonfile_prefix is not None:
            path = Path(self.jsonfile_prefix, _RESULTS)
            write_results(path, predicted, tokens, protocol, self.modality)
            print_log(f'predictions are in {path}', MMLogger.get_current_instance())
        if self.format_only:
            return {}
        check_coverage(self.check_infos(content), tokens, self.eval_split)
        report = self.evaluate_boxes(content, tokens, predicted, protocol)
        print_log(f'\n{report_table(report)}', MMLogger.get_current_instance())
        depths = [result['depth'] for result in results if 'depth' in result]
        total = sum(sums for _, sums in depths)
        if np.any(total):  # zero without LiDAR sweeps
            report['depth'] = rig_depth_report(total, depths[0][0])
            print_log(f'\n{rig_depth_table(report["depth"])}', MMLogger.get_current_instance())
        if self.out_dir is not None:
            with atomic_file(Path(self.out_dir, 'metrics.json'), 'w') as file:
                json.dump(report, file, indent=2, allow_nan=False)
        return _log_entries(report)

    def _global_boxes(
        self, content: dict, results: list[dict], protocol: DetectionProtocol
    ) -> DetectionBoxes:
        infos = {info['token']: info for info in content['data_list']}
        unknown = [result['token'] for result in results if result['token'] not in infos]
        if unknown:
            raise InfoError(
                f'expected samples of {self.ann_file}, got {len(unknown)} that it does not have, '
                f'such as {unknown[0]}; use the same info file in the metric and the data set'
            )
        classes = self.dataset_meta['classes']
        return DetectionBoxes.concatenate(
            [
                to_global(
                    infos[result['token']], result['pred_instances_3d'], index, classes, protocol
                )
                for index, result in enumerate(results)
            ]
        )

    def evaluate_boxes(
        self,
        content: dict,
        tokens: Sequence[str],
        predicted: DetectionBoxes,
        protocol: DetectionProtocol,
    ) -> dict:
        """Report of the predictions, see `evaluate_detections`."""
        return evaluate_detections(
            content, tokens, predicted, protocol, self.ann_file, self.resamples
        )


def _log_entries(report: Mapping) -> dict[str, float]:
    """Scalars under mmdet3d's names."""
    entries = {}
    for name, entry in report['classes'].items():
        entries |= {f'{name}_AP_dist_{dist}': ap for dist, ap in entry['AP_dist'].items()}
        entries |= {f'{name}_{error}': entry[error] for error in ERRORS}
    entries |= {mean: report[mean] for mean in ERRORS.values()}
    entries = {key: math.nan if v is None else round(v, 4) for key, v in entries.items()}
    entries |= {key: report[key] for key in ('NDS', 'mAP', 'mAP_present')}
    entries = {f'pred_instances_3d_NuScenes/{key}': value for key, value in entries.items()}
    if 'depth' in report:
        depth = {key: report['depth'][key] for key in ('abs_rel', 'rmse', 'a1')}
        depth |= range_scores(report['depth']['distances'])
        entries |= {f'depth/{key}': value for key, value in depth.items()}
    return entries
