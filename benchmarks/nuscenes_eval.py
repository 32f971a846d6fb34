"""nuScenes' detection scores: this package against the devkit and mmdet3d's conversion."""

import io
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from mmdet3d.evaluation.metrics import NuScenesMetric
from nuscenes.eval.detection.config import config_factory

from hybrid_depth.bev.evaluation.detection_boxes import DetectionBoxes
from hybrid_depth.bev.evaluation.detection_protocol import DetectionProtocol
from hybrid_depth.bev.evaluation.evaluate_detections import RESAMPLES, evaluate_detections
from hybrid_depth.bev.evaluation.global_boxes import to_global
from hybrid_depth.bev.evaluation.nuscenes_split_eval import SplitDetectionEval
from hybrid_depth.bev.evaluation.results_file import read_results, write_results
from hybrid_depth.datasets.nuscenes.names import CLASSES

from .detection_tables import make_infos, make_predictions, make_tables

FULL = 6019  # samples of the validation split
DEVKIT = (150, 300)  # samples; its time is extrapolated linearly from these
BOXES = 40  # annotated boxes per sample, about nuScenes' mean
PREDICTIONS = 300
PROTOCOL = DetectionProtocol()
MODALITY = dict(use_camera=True)


def _seconds(call: Callable[[], object]) -> tuple[float, object]:
    """CPU seconds of this process, which other work on the machine hardly changes."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def convert(infos: dict, found: list[dict]) -> DetectionBoxes:
    """Predictions in the global frame."""
    parts = [
        to_global(info, one['pred_instances_3d'], index, CLASSES, PROTOCOL)
        for index, (info, one) in enumerate(zip(infos['data_list'], found, strict=True))
    ]
    return DetectionBoxes.concatenate(parts)


def _data(samples: int, folder: Path):
    tables = make_tables(samples, BOXES)
    infos = make_infos(tables)
    found = make_predictions(infos, PREDICTIONS)
    return tables, infos, found, folder / f'{samples}.json'


def _devkit(samples: int, folder: Path) -> tuple[dict[str, float], dict]:
    """CPU seconds of mmdet3d's metric by part, and the devkit's scores."""
    tables, infos, found, _ = _data(samples, folder)
    metric = NuScenesMetric('', '', modality=MODALITY)
    metric.data_infos = infos['data_list']
    boxes = [one['pred_instances_3d'] for one in found]
    tokens = [one['token'] for one in found]
    config = config_factory('detection_cvpr_2019')
    quiet = patch('mmengine.track_iter_progress', lambda items: items)
    with quiet, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        convert_s, path = _seconds(
            lambda: metric._format_lidar_bbox(boxes, list(range(samples)), CLASSES, str(folder))
        )
        score_s, scores = _seconds(
            lambda: SplitDetectionEval(tables, config, path, tokens).evaluate()[0].serialize()
        )
    return dict(convert=convert_s, score=score_s), scores


def _ours(samples: int, folder: Path) -> tuple[dict[str, float], dict]:
    _, infos, found, path = _data(samples, folder)
    tokens = [one['token'] for one in found]

    def score(boxes: DetectionBoxes, resamples: int) -> dict:
        return evaluate_detections(infos, tokens, boxes, PROTOCOL, 'infos', resamples)

    convert_s, boxes = _seconds(lambda: convert(infos, found))
    write_s, _ = _seconds(lambda: write_results(path, boxes, tokens, PROTOCOL, MODALITY))
    score_s, report = _seconds(lambda: score(boxes, 0))
    interval_s, _ = _seconds(lambda: score(boxes, RESAMPLES))
    read_s, (_, boxes) = _seconds(lambda: read_results(path, PROTOCOL))
    megabytes = os.path.getsize(path) / 1e6
    times = dict(
        convert=convert_s, score=score_s, interval=interval_s - score_s, write=write_s, read=read_s
    )
    return times | dict(megabytes=megabytes), report


def main(samples: int = FULL, devkit: tuple[int, int] = DEVKIT) -> None:
    """Print the times of both and the ratios."""
    print(
        f'nuScenes detection scores, random boxes: {BOXES} annotated and {PREDICTIONS} predicted '
        'per sample; CPU seconds of one thread'
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few, _ = _devkit(devkit[0], folder)
        more, theirs = _devkit(devkit[1], folder)
        _, report = _ours(devkit[1], folder)
        if (report['mAP'], report['NDS']) != (theirs['mean_ap'], theirs['nd_score']):
            raise RuntimeError(f'expected equal scores, got {report["NDS"]} and {theirs}')
        times, _ = _ours(samples, folder)
    slope = {part: (more[part] - few[part]) / (devkit[1] - devkit[0]) for part in few}
    full = {part: more[part] + slope[part] * (samples - devkit[1]) for part in few}
    for count, row in zip(devkit, (few, more), strict=True):
        print(
            f'mmdet3d, {count} samples: convert and write {row["convert"]:.1f}, devkit '
            f'{row["score"]:.1f}'
        )
    print(
        f'mmdet3d, {samples} samples, extrapolated linearly: convert and write '
        f'{full["convert"]:.1f}, devkit {full["score"]:.1f}'
    )
    print(
        f'hybrid_depth, {samples} samples: convert {times["convert"]:.1f}, score with all parts '
        f'{times["score"]:.1f}, intervals {times["interval"]:.1f} ({RESAMPLES} resamples), write '
        f'{times["write"]:.1f} and read {times["read"]:.1f} ({times["megabytes"]:.0f} MB)'
    )
    memory = times['convert'] + times['score']
    file = times['read'] + times['score']
    print(
        f'ratio from predictions in memory: {sum(full.values()) / memory:.1f}, with intervals '
        f'{sum(full.values()) / (memory + times["interval"]):.1f} (mmdet3d cannot do without the '
        f'file; its devkit alone: {full["score"] / memory:.1f}); from the file: '
        f'{full["score"] / file:.1f}, with intervals '
        f'{full["score"] / (file + times["interval"]):.1f}'
    )
