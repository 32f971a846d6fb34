"""The nuScenes devkit as a detection metric: slow, reads the tables; reference of ours."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mmdet3d.registry import METRICS
from mmengine.logging import print_log
from nuscenes.eval.detection.config import config_factory
from nuscenes.eval.detection.data_classes import DetectionMetrics

from ...datasets.nuscenes.names import CLASSES, InfoError
from ...datasets.nuscenes.table_digests import changed_tables
from ...datasets.nuscenes.tables import CheckedNuScenes
from .detection_boxes import DetectionBoxes
from .detection_metric import BEVDetectionMetric
from .detection_protocol import ERRORS, DetectionProtocol
from .detection_report import detection_report
from .detection_scores import ClassScores, DetectionScores
from .evaluation_split import ONE_SPLIT, default_split
from .nuscenes_split_eval import (
    SplitDetectionEval,
    of_classes,
    read_tables,
    split_sample_tokens,
)
from .results_file import write_results


@METRICS.register_module()
class NuScenesBEVMetric(BEVDetectionMetric):
    """``BEVDetectionMetric`` computed by the devkit, from the tables of the root.

    For info files of others (mmdet3d's have no boxes of the benchmark), and to check our numbers.
    The protocol is nuScenes'; there are no scores of parts and no intervals.

    Args:
        data_root: nuScenes root with its tables.
        ann_file, eval_split, out_dir, kwargs: see `BEVDetectionMetric`.

    Raises:
        InfoError: classes of other benchmarks, or as of `BEVDetectionMetric`.
    """

    @property
    def dataset_meta(self) -> dict | None:
        """``metainfo`` of the data set; when it is set, classes and split are checked."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        own = [name for name in meta['classes'] if name not in CLASSES]
        if own:
            raise InfoError(
                f'NuScenesBEVMetric: expected classes of the nuScenes benchmark, '
                f'{", ".join(CLASSES)}, got {", ".join(own)}; use BEVDetectionMetric for these'
            )
        BEVDetectionMetric.dataset_meta.fset(self, meta)

    def check_infos(self, content: dict) -> list[str]:
        """Sample tokens of the split in the tables; the info file must have them, and boxes."""
        version = self.dataset_meta['version']
        tables = read_tables(self.data_root, version)
        tokens = split_sample_tokens(tables, self.eval_split or default_split(version))
        if changed := changed_tables(content['metainfo'], self.data_root):
            print_log(f'{self.ann_file} {changed}', logger='current', level=logging.WARNING)
        infos = {info.get('token'): info for info in content['data_list']}
        there = [infos[token] for token in tokens if token in infos]
        if len(there) < len(tokens):
            raise InfoError(
                f'NuScenesBEVMetric: expected the {len(tokens)} samples of eval_split='
                f'{self.eval_split!r} in {self.ann_file}, got {len(there)} of them; {ONE_SPLIT}'
            )
        if not any(info.get('instances') for info in there):
            raise InfoError(
                f'NuScenesBEVMetric: expected annotated boxes in {self.ann_file}, got none '
                f'({version}). Set format_only=True and jsonfile_prefix, to write predictions only'
            )
        return tokens

    def evaluate_boxes(
        self,
        content: dict,
        tokens: Sequence[str],
        predicted: DetectionBoxes,
        protocol: DetectionProtocol,
    ) -> dict:
        """Report of the devkit."""
        nusc = CheckedNuScenes(self.data_root, self.dataset_meta['version'])
        config = of_classes(config_factory('detection_cvpr_2019'), protocol.classes)
        with TemporaryDirectory() as folder:
            path = Path(folder, 'results_nusc.json')
            write_results(path, predicted, tokens, protocol, self.modality)
            evaluation = SplitDetectionEval(nusc, config, path, list(tokens))
        metrics, _ = evaluation.evaluate()
        scores = devkit_scores(evaluation, metrics, protocol)
        return detection_report(scores, len(tokens), len(evaluation.pred_boxes.all))


def devkit_scores(
    evaluation: SplitDetectionEval, metrics: DetectionMetrics, protocol: DetectionProtocol
) -> DetectionScores:
    """The devkit's numbers of each class as `DetectionScores`."""
    names = [box.detection_name for box in evaluation.gt_boxes.all]
    return DetectionScores(
        {
            name: ClassScores(
                names.count(name),
                {dist: metrics.get_label_ap(name, dist) for dist in evaluation.cfg.dist_ths},
                {error: metrics.get_label_tp(name, error) for error in ERRORS},
            )
            for name in evaluation.cfg.class_names
        },
        protocol,
    )
