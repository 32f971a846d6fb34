"""Exported detector: images and calibration to boxes, with onnxruntime and numpy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .box_decoding import Detections, decode_task, suppress
from .calibration import Array, Calibration
from .detector_spec import DetectorSpec
from .model_file import ModelFile, network_images

MAPS = ('heatmap', 'reg', 'height', 'dim', 'rot', 'vel')


class OnnxBEVDet:
    """Detector from an ONNX file of ``hybrid-depth export``.

    The calibration is an input: one file serves cars of different calibration. Geometry is computed
    when the calibration changes.

    Args:
        path: ONNX file.
        providers: onnxruntime's execution providers.
        threads: of the CPU provider; 0 for all cores.

    Attributes:
        spec: image size, classes, discretisation and decoding.

    Raises:
        OnnxRuntimeMissingError, FileNotFoundError, DamagedFileError: see ``ModelFile``.

    Example:
        >>> detector = OnnxBEVDet('bevdet.onnx')  # doctest: +SKIP
        >>> rig = dict(cam2img=k, cam2ego=poses, img_aug=resize)  # doctest: +SKIP
        >>> detector(images, rig)[0].boxes.shape  # doctest: +SKIP
        (87, 9)
    """

    def __init__(
        self,
        path: str | Path,
        providers: Sequence[str] = ('CPUExecutionProvider',),
        threads: int = 0,
    ):
        self.file = ModelFile(path, 'detector', providers, threads)
        self.spec = self.file.parse(DetectorSpec.of)
        self._cached: tuple[Calibration, dict[str, Array]] | None = None

    def __call__(
        self, images: Array, calibration: Mapping[str, Array] | Calibration
    ) -> list[Detections]:
        """Boxes in the ego frame, per sample.

        Args:
            images: (N, 3, H, W) or (B, N, 3, H, W) RGB of the network size, uint8 or float in
                [0, 1].
            calibration: see ``Calibration.of``.

        Raises:
            DepthDataError: images or calibration of another shape.
        """
        return self.detections(self.run(images, calibration))

    def run(
        self, images: Array, calibration: Mapping[str, Array] | Calibration
    ) -> dict[str, Array]:
        """Outputs of the file by name; arguments as of a call."""
        images = network_images(images, self.spec.image_size, leading=2)
        return self.file.run(dict(self.geometry(Calibration.of(calibration)), images=images))

    def geometry(self, calibration: Calibration) -> dict[str, Array]:
        """Geometry inputs of the file by name."""
        if self._cached is None or not self._cached[0].same_geometry(calibration):
            self._cached = calibration, self.spec.geometry(calibration)
        return self._cached[1]

    def detections(self, outputs: Mapping[str, Array]) -> list[Detections]:
        """Boxes of the outputs of ``run``."""
        found: list[list[tuple[Array, Array, Array]]] = [[] for _ in outputs['depth']]
        first = 0
        for number, task in enumerate(self.spec.tasks):
            maps = {name: outputs[f'{name}_{number}'] for name in MAPS}
            for sample, (boxes, scores, labels) in zip(found, decode_task(task, maps), strict=True):
                kept = suppress(task, boxes, scores, labels)
                sample.append((boxes[kept], scores[kept], labels[kept] + first))
            first += len(task.classes)
        results = []
        for sample, depth in zip(found, outputs['depth'], strict=True):
            boxes, scores, labels = (np.concatenate(parts) for parts in zip(*sample, strict=True))
            boxes[:, 2] -= boxes[:, 5] * np.float32(0.5)  # gravity centre to bottom
            results.append(Detections(boxes, scores, labels, depth))
        return results
