"""Report of what each range and class owes to depth: resumable tests, and their differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from ..bev.depth_nets import true_depth as cells
from ..bev.evaluation.detection_bootstrap import interval_of_difference
from ..bev.evaluation.evaluate_detections import RESAMPLES
from ..bev.hooks import true_depth as hook
from ..digests import digest, file_digest
from ..doctor.datasets import check_datasets
from ..errors import ConfigError
from ..robustness.report import ROWS, TESTED, RowFile, row_digest, run_test
from ..text_files import read_json
from .swaps import PREDICTED, TRUE, Swap, class_swaps, config_of, range_swaps

SCORES = ('mAP', 'NDS')


def run_swaps(
    cfg: Config,
    checkpoint: str,
    out: Path,
    folder: str,
    edges: Sequence[float],
    classes: Sequence[str] | None = None,
    sigma: float | None = None,
) -> Iterator[tuple[Swap, dict]]:
    """Test a detector with true depth in parts of the cells, or take its finished rows.

    Args:
        cfg: from `load_config`; its work_dir is not used.
        checkpoint: checkpoint file.
        out: folder of `rows.jsonl`, and of the logs.
        folder: true depth, as of `LoadTrueDepth`.
        edges: of the ranges, metres.
        classes: None for all that have boxes.
        sigma: as of `TrueDepthHook`.

    Yields:
        The test and its row: `mAP`, `NDS`, `AP` by class, `draws` of the bootstrap, `share` of the
        cells that have true depth.
    """
    rows = RowFile(out / ROWS)
    sources = [file_digest(module.__file__) for module in (cells, hook)]
    sources.append(_folder_digest(folder))

    def row(swap: Swap) -> dict:
        tested = config_of(cfg, swap, folder, sigma)
        check_datasets(tested, TESTED)
        key = row_digest(tested, checkpoint, sources)
        found = rows.get(key)
        if found is None:
            found = _test(tested, checkpoint, out / 'logs')
            rows.add(key, swap.as_dict(), found)
        return found

    predicted = row(PREDICTED)
    yield PREDICTED, predicted
    present = predicted['classes_present'] if classes is None else classes
    for swap in (TRUE, *range_swaps(edges), *class_swaps(present)):
        yield swap, row(swap)


def _folder_digest(folder: str) -> str:
    """Digest of the names, sizes and times of change of a folder's files."""
    root = Path(folder)
    files = sorted(path for path in root.rglob('*') if path.is_file())
    stats = [(path.relative_to(root).as_posix(), path.stat()) for path in files]
    return digest([(name, status.st_size, status.st_mtime_ns) for name, status in stats])


def _test(cfg: Config, checkpoint: str, logs: Path) -> dict:
    metric = cfg.test_evaluator
    if not isinstance(metric, dict) or metric.type != 'BEVDetectionMetric':
        raise ConfigError(
            f'{cfg.filename}: expected BEVDetectionMetric alone as test_evaluator, whose draws are '
            f'compared in pairs, got {metric}'
        )
    metric.update(out_dir=str(logs), resamples=metric.get('resamples') or RESAMPLES)
    metrics = run_test(cfg, checkpoint, logs)
    report = read_json(logs / 'metrics.json')
    return dict(
        {name: report[name] for name in (*SCORES, 'classes_present')},
        AP={name: one['AP'] for name, one in report['classes'].items()},
        draws=report['interval']['draws'],
        interval={k: report['interval'][k] for k in ('unit', 'units', 'resamples', *SCORES)},
        share=metrics.get(hook.SHARE, 0.0),
    )


def summarise(results: Sequence[tuple[Swap, Mapping]], facts: Mapping) -> dict:
    """Report of finished rows.

    Args:
        results: of `run_swaps`, all of them.
        facts: what else the report says, such as config and checkpoint.

    Returns:
        The facts, `predicted` and `true` (scores, with intervals), and `parts`: kind, name, share
        of the cells, and for mAP and NDS `there` (true depth there alone, minus predicted depth)
        and `missing` (true depth everywhere, minus predicted depth there alone), each as points (of
        100) with the 95 % interval of the difference.
    """
    by_test = {(swap.kind, swap.name, swap.there): row for swap, row in results}
    predicted, true = (by_test[s.kind, s.name, s.there] for s in (PREDICTED, TRUE))
    parts = [
        dict(
            kind=swap.kind,
            name=swap.name,
            share=row['share'],
            there=_points(row, predicted),
            missing=_points(true, by_test[swap.kind, swap.name, False]),
        )
        for swap, row in results
        if swap.kind in ('range', 'class') and swap.there
    ]
    whole = dict(kind='all', name='all', share=true['share'])
    gain = _points(true, predicted)
    return dict(
        facts,
        predicted=_scores(predicted),
        true=_scores(true),
        parts=[dict(whole, there=gain, missing=gain), *parts],
    )


def _points(row: Mapping, other: Mapping) -> dict:
    """Differences of the scores of two rows, in points, with their intervals."""
    return {
        name: dict(
            points=100 * (row[name] - other[name]),
            interval=[
                100 * end
                for end in interval_of_difference(row['draws'][name], other['draws'][name])
            ],
        )
        for name in SCORES
    }


def _scores(row: Mapping) -> dict:
    return {name: row[name] for name in SCORES} | dict(AP=row['AP'], interval=row['interval'])
