"""Robustness report of a model: a test under each condition, resumable."""

from __future__ import annotations

import copy
import json
import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import MMLogger

from ..config_errors import explained
from ..digests import digest, file_digest
from ..doctor.datasets import check_datasets, innermost_datasets
from ..doctor.evaluation_pipelines import check_test_transforms
from ..engine import config as config_tools
from ..errors import DamagedFileError
from ..files import atomic_file
from ..text_files import parse_json, read_text
from .conditions import CLEAN, Condition, config_of
from .scores import quality, resilience_rate, scores_of
from .transforms import ROBOBEV

ROWS = 'rows.jsonl'
REPORT = 'report.json'
TESTED = ('test_dataloader', 'test_evaluator')
_SOURCES = ('camera_failures.py', 'corruptions.py', 'transforms.py')


class RowFile:
    """Finished rows of a report, one JSON line per row, kept while their digests hold.

    Args:
        path: file; it is made with the first row. A line cut by a kill is skipped.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._metrics: dict[str, dict] = {}
        for line in read_text(path).splitlines() if path.is_file() else ():
            try:
                row = parse_json(line, path)
                self._metrics[row['digest']] = dict(row['metrics'])
            except (DamagedFileError, KeyError, TypeError, ValueError):
                continue

    def get(self, key: str) -> dict | None:
        """Metrics of a row; None if it is not finished."""
        return self._metrics.get(key)

    def add(self, key: str, facts: dict, metrics: dict) -> None:
        """Write a finished row, with facts that say which it is."""
        self._metrics[key] = metrics
        row = dict(facts, digest=key, metrics=metrics)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, 'a') as file:  # the line begins with the end of one cut by a kill
            file.write('\n' + json.dumps(row))


def run_conditions(
    cfg: Config, checkpoint: str, out: Path, conditions: Sequence[Condition], seed: int = 0
) -> Iterator[tuple[Condition, dict]]:
    """Test a model under each condition, or take its finished row.

    Args:
        cfg: from `load_config`; its work_dir is not used.
        checkpoint: checkpoint file.
        out: folder of `rows.jsonl`, and of the logs.
        conditions: rows, see `conditions_for`.
        seed: seed of the corruptions.

    Yields:
        The condition and the metrics of its test.
    """
    rows = RowFile(out / ROWS)
    sources = [file_digest(Path(__file__).with_name(name)) for name in _SOURCES]
    for condition in conditions:
        tested = config_of(cfg, condition, seed)
        check_datasets(tested, TESTED)
        key = row_digest(tested, checkpoint, sources)
        metrics = rows.get(key)
        if metrics is None:
            metrics = run_test(tested, checkpoint, out / 'logs')
            rows.add(key, condition.as_dict(), metrics)
        yield condition, metrics


def row_digest(cfg: Config, checkpoint: str, sources: Sequence[str]) -> str:
    """Digest of all that a row depends on: test config, weights, data, and what else `sources` are
    digests of."""
    tested = {key: cfg.get(key) for key in ('model', 'custom_hooks', *TESTED)}
    files = [
        Path(dataset.get('data_root') or '', dataset[key])
        for dataset in innermost_datasets(cfg.test_dataloader)
        for key in ('ann_file', 'split')
        if dataset.get(key)
    ]
    evaluators = cfg.test_evaluator
    for metric in evaluators if isinstance(evaluators, list | tuple) else [evaluators]:
        if metric.get('truth'):
            files.append(Path(metric['truth'], 'export.json'))
    contents = [file_digest(path) for path in (checkpoint, *files)]
    return digest(Config(tested).to_dict(), contents, sources)


def run_test(cfg: Config, checkpoint: str, work_dir: Path) -> dict[str, float]:
    """Finite metrics of a test.

    Args:
        cfg: from `load_config`, with a test_dataloader.
        checkpoint: checkpoint file.
        work_dir: folder of the log.
    """
    cfg = copy.deepcopy(cfg)
    cfg.work_dir, cfg.load_from = str(work_dir), checkpoint
    cfg.log_level = 'WARNING'  # not the config and tables of every row
    config_tools.require_fitting_checkpoint(cfg)
    check_test_transforms(cfg, ('test_dataloader',))
    with explained(cfg):
        metrics = config_tools.build_runner(cfg).test()
    logger = MMLogger.get_current_instance()
    for handler in [h for h in logger.handlers if isinstance(h, logging.FileHandler)]:
        logger.removeHandler(handler)
        handler.close()  # one file per row would stay open
    return {key: float(value) for key, value in metrics.items() if math.isfinite(value)}


def summarise(results: Sequence[tuple[Condition, dict]], facts: dict) -> dict:
    """Report of finished rows.

    Args:
        results: of `run_conditions`, the clean row first.
        facts: what else the report says, such as config and checkpoint.

    Returns:
        The facts, `rows` (condition and scores), `resilience` ('NDS' and 'depth' where measured
        and above 0, per corruption; above 1 for better scores than the clean ones), and
        `mean_resilience`, the mean over RoboBEV's corruptions among them.
    """
    rows = [dict(condition.as_dict(), scores=scores_of(m)) for condition, m in results]
    clean = next(row['scores'] for row in rows if row['kind'] == CLEAN.kind)
    resilience, means = {}, {}
    for kind in ('NDS', 'depth'):
        reference = quality(clean, kind)
        if reference is None or reference <= 0:
            continue
        names = list(dict.fromkeys(row['name'] for row in rows if row['kind'] != CLEAN.kind))
        resilience[kind] = {
            name: resilience_rate(
                [quality(row['scores'], kind) for row in rows if row['name'] == name], reference
            )
            for name in names
        }
        counted = [rate for name, rate in resilience[kind].items() if name in ROBOBEV]
        if counted:
            means[kind] = sum(counted) / len(counted)
    return dict(facts, rows=rows, resilience=resilience, mean_resilience=means)


def write_report(report: dict, out: Path) -> None:
    """Write `report.json`."""
    with atomic_file(out / REPORT, 'w') as file:
        json.dump(report, file, indent=1)


def read_report(folder: str | Path) -> dict:
    """Report of a folder.

    Raises:
        FileNotFoundError: there is none.
        DamagedFileError: it does not read.
    """
    path = Path(folder, REPORT)
    if not path.is_file():
        raise FileNotFoundError(
            f'expected a report {path}, which does not exist; make it with: hybrid-depth '
            'robustness CONFIG CHECKPOINT --out FOLDER'
        )
    report = parse_json(read_text(path), path)
    if not (isinstance(report, dict) and {'rows', 'resilience', 'mean_resilience'} <= set(report)):
        raise DamagedFileError(f'{path}: expected a robustness report, got another file')
    return report
