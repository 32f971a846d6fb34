"""nuScenes detection metric (mAP, NDS)."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmdet3d.evaluation.metrics import NuScenesMetric
from mmdet3d.registry import METRICS
from mmengine.logging import MMLogger, print_log
from nuscenes.eval.detection.data_classes import DetectionMetrics
from terminaltables import AsciiTable

from ...datasets.nuscenes.names import CLASSES as _ALL
from ...datasets.nuscenes.names import InfoError
from ...datasets.nuscenes.table_digests import changed_tables
from ...datasets.nuscenes.tables import CheckedNuScenes
from ...files import atomic_file
from ...info_files import naming, read_infos
from .nuscenes_split_eval import (
    SplitDetectionEval,
    of_classes,
    read_tables,
    split_sample_tokens,
)
from .rig_depth import rig_depth_report, rig_depth_sums, rig_depth_table

_DEFAULT_SPLITS = {'v1.0-mini': 'mini_val', 'v1.0-trainval': 'val', 'v1.0-test': 'test'}
_ONE_SPLIT = (
    'Use the info file and the eval_split of one split; to evaluate part of a split, set '
    'eval_split to the list of its scene names.'
)
_MODALITY = dict(
    use_camera=True, use_lidar=False, use_radar=False, use_map=False, use_external=False
)
_ERRORS = ('trans_err', 'scale_err', 'orient_err', 'vel_err', 'attr_err')


def _finite(value: float) -> float | None:
    """The value, or None for NaN, which JSON does not have (errors undefined for a class)."""
    return None if math.isnan(value) else float(value)


def metrics_report(evaluation: SplitDetectionEval, metrics: DetectionMetrics) -> dict:
    """Content of ``metrics.json``: mAP, NDS, errors, and metrics per class.

    ``mAP`` is the devkit's: classes without boxes in the split count as 0. ``mAP_present`` is the
    mean over classes with boxes within the devkit's range that have a LiDAR or radar point.
    """
    counts = Counter(box.detection_name for box in evaluation.gt_boxes.all)
    present = [name for name in evaluation.cfg.class_names if counts[name]]
    summary = metrics.serialize()
    aps = summary['mean_dist_aps']
    classes = {
        name: dict(
            num_gt=counts[name],
            AP=aps[name],
            AP_dist={str(dist): ap for dist, ap in summary['label_aps'][name].items()},
            **{error: _finite(summary['label_tp_errors'][name][error]) for error in _ERRORS},
        )
        for name in evaluation.cfg.class_names
    }
    return dict(
        mAP=summary['mean_ap'],
        NDS=summary['nd_score'],
        mAP_present=float(np.mean([aps[name] for name in present])) if present else 0.0,
        **{
            NuScenesMetric.ErrNameMapping[error]: _finite(summary['tp_errors'][error])
            for error in _ERRORS
        },
        classes_present=present,
        num_samples=len(evaluation.sample_tokens),
        num_gt=sum(counts.values()),
        num_predictions=len(evaluation.pred_boxes.all),
        classes=classes,
    )


def report_table(report: dict) -> str:
    """Table of a report: one line per class, then the means."""

    def cells(values: list[float | None]) -> list[str]:
        return ['-' if value is None else f'{value:.3f}' for value in values]

    rows = [['class', 'boxes', 'AP', 'ATE', 'ASE', 'AOE', 'AVE', 'AAE']]
    for name, entry in report['classes'].items():
        values = [entry['AP'], *(entry[error] for error in _ERRORS)]
        rows.append([name, entry['num_gt'], *cells(values)])
    means = [report[NuScenesMetric.ErrNameMapping[error]] for error in _ERRORS]
    rows.append(['mean', report['num_gt'], *cells([report['mAP'], *means])])
    classes = len(report['classes'])
    return (
        f'{AsciiTable(rows).table}\nmAP {report["mAP"]:.4f}  NDS {report["NDS"]:.4f}  mAP over the '
        f'{len(report["classes_present"])} classes present {report["mAP_present"]:.4f}  '
        f'({report["num_samples"]} samples, {report["num_predictions"]} predictions)'
        + (f"\nof {classes} of the benchmark's {len(_ALL)} classes" if classes < len(_ALL) else '')
    )


@METRICS.register_module()
class NuScenesBEVMetric(NuScenesMetric):
    """mmdet3d's ``NuScenesMetric`` with a choice of split and a report.

    Takes LiDAR-frame boxes. Samples are matched by token, so subsets and reordered data sets are
    evaluated correctly, unlike in mmdet3d's metric (docs/reference/nuscenes.md,
    "mmdet3d's metric"); they must be exactly the split's samples. At most the 500 best boxes per
    sample are used, the benchmark's limit. Metric names are mmdet3d's and ``mAP_present``. If the
    pipeline loads LiDAR depth, the depth net's expected depth is evaluated too: ``depth/abs_rel``,
    ``depth/rmse`` and ``depth/a1``, and by camera and range in the report (``rig_depth_sums``).

    The split, the info file and its boxes are checked when the data set is known, before any
    inference. For a detector of some of the classes, mAP and NDS are over these classes, not the
    benchmark's.

    Args:
        eval_split: a split of the devkit ('mini_train', 'val', ...), one of the root's
            ``splits.json``, or a list of scene names; None for the version's validation split.
        out_dir: folder of ``metrics.json`` and, before they are scored, of the predictions; None
            writes no file.

    Raises:
        InfoError: unknown split; predictions for other samples than the split's; no ground truth.
    """

    def __init__(
        self,
        data_root: str,
        ann_file: str,
        eval_split: str | Sequence[str] | None = None,
        out_dir: str | None = None,
        **kwargs,
    ):
        kwargs.setdefault('modality', _MODALITY)
        if out_dir is not None:
            kwargs.setdefault('jsonfile_prefix', str(Path(out_dir, 'predictions')))
        super().__init__(data_root=data_root, ann_file=ann_file, **kwargs)
        self.eval_split = eval_split
        self.out_dir = out_dir
        self._predicted: set[str] = set()
        self._depth: dict | None = None

    @property
    def dataset_meta(self) -> dict | None:
        """``metainfo`` of the data set; when it is set, the split is checked."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        self._dataset_meta = meta
        own = [name for name in meta['classes'] if name not in _ALL]
        if own:
            raise InfoError(
                f'NuScenesBEVMetric: expected classes of the nuScenes benchmark, '
                f'{", ".join(_ALL)}, got {", ".join(own)}; use another metric for own classes'
            )
        if not self.format_only:
            self._check_split(meta['version'])

    def _check_split(self, version: str) -> None:
        """Check that the info file has the samples of the split, and boxes."""
        tables = read_tables(self.data_root, version)
        tokens = set(split_sample_tokens(tables, self.eval_split or _DEFAULT_SPLITS[version]))
        content = read_infos(self.ann_file)
        if changed := changed_tables(content['metainfo'], self.data_root):
            print_log(f'{self.ann_file} {changed}', logger='current', level=logging.WARNING)
        infos = content['data_list']
        there = [info for info in infos if info.get('token') in tokens]
        if len(there) < len(tokens):
            raise InfoError(
                f'NuScenesBEVMetric: expected the {len(tokens)} samples of eval_split='
                f'{self.eval_split!r} in {self.ann_file}, got {len(there)} of them; {_ONE_SPLIT}'
            )
        if not any(info.get('instances') for info in there):
            raise InfoError(
                f'NuScenesBEVMetric: expected annotated boxes in {self.ann_file}, got none '
                f'({version}). Set format_only=True and jsonfile_prefix, to write predictions only'
            )

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep the predictions of a batch, on the CPU."""
        limit = self.eval_detection_configs.max_boxes_per_sample
        for sample in data_samples:
            predicted = sample['pred_instances_3d']
            best = torch.argsort(predicted['scores_3d'], descending=True)[:limit]
            kept = {key: predicted[key][best].to('cpu') for key in predicted}
            entry = dict(token=sample['token'], pred_instances_3d=kept)
            if 'gt_depth' in sample and 'pred_depth' in sample:
                maps = (sample[key]['data'] for key in ('pred_depth', 'gt_depth'))
                entry['depth'] = (tuple(sample['cam_names']), rig_depth_sums(*maps))
            self.results.append(entry)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        if not results:
            raise InfoError('NuScenesBEVMetric: expected predictions, got none from any batch')
        depths = [result.pop('depth') for result in results if 'depth' in result]
        self._depth = None
        total = sum(sums for _, sums in depths)
        if np.any(total):  # zero without LiDAR sweeps
            self._depth = rig_depth_report(total, depths[0][0])
        with naming(self.ann_file):
            return super().compute_metrics(results)

    def format_results(self, results: list[dict], classes=None, jsonfile_prefix=None):
        """Write the submission JSON, matching samples by token.

        mmdet3d uses a sample's index in the data set as its index in ``ann_file``.
        """
        position = {info['token']: i for i, info in enumerate(self.data_infos)}
        unknown = [result['token'] for result in results if result['token'] not in position]
        if unknown:
            raise InfoError(
                f'NuScenesBEVMetric: expected samples of {self.ann_file}, got {len(unknown)} that '
                f'it does not have, such as {unknown[0]}; use the same info file in the metric and '
                'the data set'
            )
        self._predicted = {result['token'] for result in results}
        results = [dict(result, sample_idx=position[result['token']]) for result in results]
        return super().format_results(results, classes, jsonfile_prefix)

    def _evaluate_single(
        self, result_path: str, classes=None, result_name: str = 'pred_instances_3d'
    ) -> dict[str, float]:
        """Evaluate one submission; mmdet3d's method supports two splits only."""
        nusc = CheckedNuScenes(self.data_root, self.version)
        tokens = split_sample_tokens(nusc, self.eval_split or _DEFAULT_SPLITS[self.version])
        self._check_coverage(tokens)
        config = of_classes(self.eval_detection_configs, classes)
        evaluation = SplitDetectionEval(nusc, config, result_path, tokens)
        metrics, _ = evaluation.evaluate()
        report = metrics_report(evaluation, metrics)
        print_log(f'\n{report_table(report)}', MMLogger.get_current_instance())
        if self._depth is not None:
            report['depth'] = self._depth
            print_log(f'\n{rig_depth_table(self._depth)}', MMLogger.get_current_instance())
        if self.out_dir is not None:
            with atomic_file(Path(self.out_dir, 'metrics.json'), 'w') as file:
                json.dump(report, file, indent=2, allow_nan=False)
        return self._log_entries(report, f'{result_name}_NuScenes', classes)

    def _check_coverage(self, tokens: list[str]) -> None:
        predicted = self._predicted
        absent, extra = set(tokens) - predicted, predicted - set(tokens)
        if absent or extra:
            raise InfoError(
                f'NuScenesBEVMetric: expected predictions for exactly the {len(tokens)} samples of '
                f'eval_split={self.eval_split!r}, got {len(predicted)}: {len(absent)} are missing, '
                f'{len(extra)} are of other scenes. {_ONE_SPLIT}'
            )

    def _log_entries(self, report: dict, prefix: str, classes: Sequence[str]) -> dict[str, float]:
        """Scalars under mmdet3d's names."""
        entries = {}
        for name in classes:
            entry = report['classes'][name]
            entries |= {f'{name}_AP_dist_{dist}': ap for dist, ap in entry['AP_dist'].items()}
            entries |= {f'{name}_{error}': entry[error] for error in _ERRORS}
        entries |= {key: report[key] for key in self.ErrNameMapping.values()}
        entries = {key: math.nan if v is None else round(v, 4) for key, v in entries.items()}
        entries |= {key: report[key] for key in ('NDS', 'mAP', 'mAP_present')}
        entries = {f'{prefix}/{key}': value for key, value in entries.items()}
        if 'depth' in report:
            entries |= {f'depth/{key}': report['depth'][key] for key in ('abs_rel', 'rmse', 'a1')}
        return entries
