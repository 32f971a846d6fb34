"""Ground truth and predictions of the key frames shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from ..bev.evaluation.detection_boxes import DetectionBoxes
from ..bev.evaluation.detection_protocol import DetectionProtocol
from ..bev.evaluation.evaluation_samples import EvaluationSamples, read_samples
from ..bev.evaluation.results_file import read_results
from ..datasets.nuscenes.names import InfoError
from .key_frames import Camera, KeyFrame


@dataclass(frozen=True)
class Prediction:
    """Output of a model for a key frame.

    Args:
        boxes: global frame.
        depth: depth maps (h, w) in metres, each with the camera it belongs to; `cam2img` is that
            of the map.
    """

    boxes: DetectionBoxes
    depth: list[tuple[Camera, np.ndarray]] = field(default_factory=list)


class Run(Protocol):
    """Predictions by key frame, read or computed."""

    name: str

    def __call__(self, frame: KeyFrame) -> Prediction | None:
        """Prediction for a key frame; None if the run has none."""


def protocol_of(content: Mapping) -> DetectionProtocol:
    """nuScenes' benchmark, or for own classes the same without a limit of the distance."""
    names = content['metainfo'].get('categories', {})
    usual = DetectionProtocol()
    if set(usual.classes) <= set(names):
        return usual
    return DetectionProtocol(ranges={name: usual.ranges.get(name, np.inf) for name in names})


class GroundTruth:
    """Boxes that count in the evaluation, by key frame.

    Args:
        content: of the info file.
        frames: key frames.
        protocol: benchmark.
        source: info file, for errors.
    """

    def __init__(
        self,
        content: Mapping,
        frames: list[KeyFrame],
        protocol: DetectionProtocol,
        source: str | Path,
    ):
        tokens = [frame.token for frame in frames]
        self.protocol, self._place = protocol, {token: i for i, token in enumerate(tokens)}
        self.samples: EvaluationSamples | None = None  # of a test set without annotations
        if any(info.get('instances') for info in content['data_list']):
            self.samples = read_samples(content, tokens, protocol, str(source))
            self._boxes = self.samples.truth(protocol)

    def boxes(self, frame: KeyFrame) -> DetectionBoxes | None:
        """Boxes of a key frame; None without annotations."""
        if self.samples is None:
            return None
        return self._boxes[self._boxes.sample == self._place[frame.token]]

    def countable(self, frame: KeyFrame, boxes: DetectionBoxes) -> DetectionBoxes:
        """Predicted boxes of a key frame that the evaluation counts; all without annotations."""
        if self.samples is None:
            return boxes
        sample = np.full(len(boxes), self._place[frame.token])
        values = {**vars(boxes), 'sample': sample}
        return self.samples.in_range(DetectionBoxes(**values), self.protocol)


class ResultsFile:
    """Predictions of a results file (``results_nusc.json``).

    Args:
        path: JSON file, as ``hybrid-depth test`` writes it.
        protocol: benchmark.
        name: of the run.

    Raises:
        FileNotFoundError, DamagedFileError, InfoError: as of `read_results`.
    """

    def __init__(self, path: str | Path, protocol: DetectionProtocol, name: str):
        tokens, boxes = read_results(path, protocol)
        starts = np.searchsorted(boxes.sample, np.arange(len(tokens) + 1))
        self.name, self._path = name, path
        self._rows = dict(zip(tokens, zip(starts[:-1], starts[1:], strict=True), strict=True))
        self._boxes = boxes

    def require(self, frames: list[KeyFrame], source: str | Path) -> None:
        """Raise InfoError unless some of the key frames are predicted."""
        if not any(frame.token in self._rows for frame in frames):
            raise InfoError(
                f'expected in {self._path} predictions for samples of {source}, got those of '
                f'{len(self._rows)} others; give the info file of their split with --infos'
            )

    def __call__(self, frame: KeyFrame) -> Prediction | None:
        if frame.token not in self._rows:
            return None
        return Prediction(self._boxes[slice(*self._rows[frame.token])])
