"""Evaluation of predicted boxes against an info file, from memory or from a results file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...info_files import read_infos
from .detection_bootstrap import bootstrap_intervals
from .detection_boxes import DetectionBoxes
from .detection_parts import scores_of_parts
from .detection_protocol import DetectionProtocol, load_detection_protocol
from .detection_report import detection_report, parts_report
from .detection_scores import DetectionScores, match_detections
from .evaluation_samples import read_samples
from .evaluation_split import check_coverage, split_tokens
from .results_file import read_results

RESAMPLES = 100


def evaluate_detections(
    content: Mapping,
    tokens: Sequence[str],
    predicted: DetectionBoxes,
    protocol: DetectionProtocol,
    source: str | Path,
    resamples: int = RESAMPLES,
) -> dict:
    """Report of predicted boxes; no tables of nuScenes are read.

    Args:
        content: of an info file.
        tokens: predicted samples, which `predicted.sample` counts.
        predicted: boxes in the global frame.
        protocol: benchmark.
        source: the info file, for errors.
        resamples: of the bootstrap intervals; 0 for none.

    Returns:
        `detection_report` with `parts` (`parts_report`) and `interval` (`bootstrap_intervals`).
    """
    samples = read_samples(content, tokens, protocol, str(source))
    found = samples.in_range(predicted, protocol)
    matched = match_detections(samples.truth(protocol), found, protocol)
    scores = DetectionScores({one.name: one.scores(protocol) for one in matched}, protocol)
    report = detection_report(scores, len(tokens), len(found))
    if resamples:
        report['interval'] = bootstrap_intervals(matched, samples, protocol, resamples)
    return report | dict(parts=parts_report(scores_of_parts(matched, samples, protocol)))


def evaluate_results_file(
    results: str | Path,
    infos: str | Path,
    split: str | Sequence[str] | None = None,
    settings: Mapping | None = None,
    resamples: int = RESAMPLES,
) -> dict:
    """Report of a results file (`results_nusc.json`).

    Args:
        results: JSON file.
        infos: info file of the split.
        split: split, as of `BEVDetectionMetric`.
        settings: fields of `DetectionProtocol` that differ from nuScenes'.
        resamples: of the bootstrap intervals; 0 for none.

    Raises:
        FileNotFoundError, DamagedFileError: a file does not read.
        InfoError: the results are not those of the split's samples.
    """
    protocol = load_detection_protocol(settings)
    content = read_infos(infos)
    expected = split_tokens(content, split, Path(infos).parent, infos)
    tokens, predicted = read_results(results, protocol)
    check_coverage(expected, tokens, split)
    return evaluate_detections(content, tokens, predicted, protocol, infos, resamples)
