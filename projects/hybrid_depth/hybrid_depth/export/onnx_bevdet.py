"""Exported detector: images and calibration to boxes, with onnxruntime and numpy alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .box_decoding import MAPS, Detections, TaskSpec, decode_task, scored_boxes, suppress
from .calibration import Array, Calibration
from .detector_spec import DetectorSpec
from .earlier_frames import KEPT, EarlierFrame, earlier_inputs, first_inputs
from .model_file import ModelFile, network_images


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

    Use, as in docs/export.md, "Running a file"::

        detector = OnnxBEVDet('bevdet.onnx')
        boxes = detector(images, dict(cam2img=k, cam2ego=poses, img_aug=resize))[0].boxes
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
        self.reset()

    def reset(self) -> None:
        """Forget the key frames of a video, before another one."""
        kept = 0 if self.spec.earlier is None else self.spec.earlier.frames
        self._frames: deque[EarlierFrame] = deque(maxlen=kept)

    def __call__(
        self, images: Array, calibration: Mapping[str, Array] | Calibration
    ) -> list[Detections]:
        """Boxes in the ego frame, per sample.

        A detector of several key frames (BEVDet4D, FB-BEV with history) keeps those of earlier
        calls, until ``reset``; its calibration needs ``ego2global``, and with history ``time``.

        Args:
            images: (N, 3, H, W) or (B, N, 3, H, W) RGB of the network size, uint8 or float in
                [0, 1].
            calibration: see ``Calibration.of``.

        Raises:
            DepthDataError: images or calibration of another shape.
        """
        calibration = Calibration.of(calibration)
        outputs = self.run(images, calibration, self._frames)
        if self.spec.earlier is not None:
            self._frames.appendleft(self.frame(outputs, calibration))
        return self.decode(outputs)

    def run(
        self,
        images: Array,
        calibration: Mapping[str, Array] | Calibration,
        earlier: Sequence[EarlierFrame] = (),
    ) -> dict[str, Array]:
        """Outputs of the file by name; arguments as of ``inputs``."""
        return self.file.run(self.inputs(images, calibration, earlier))

    def inputs(
        self,
        images: Array,
        calibration: Mapping[str, Array] | Calibration,
        earlier: Sequence[EarlierFrame] = (),
    ) -> dict[str, Array]:
        """Inputs of the file by name, and some that it may not have.

        Args:
            images, calibration: as of a call.
            earlier: key frames before, latest first, from ``frame``; with recurrent fusion the
                last one. The current frame stands for those that are absent.
        """
        calibration = Calibration.of(calibration)
        images = network_images(images, self.spec.image_size, leading=2)
        inputs = dict(self.geometry(calibration), images=images)
        if self.spec.earlier is None:
            return inputs
        frames = list(earlier)[: self.spec.earlier.frames]
        return inputs | self._earlier_inputs(inputs, calibration, frames)

    def _earlier_inputs(
        self, inputs: dict[str, Array], calibration: Calibration, frames: list[EarlierFrame]
    ) -> dict[str, Array]:
        spec, lift = self.spec.earlier, self.spec.lift
        if spec.align == 'recurrent' and not frames:
            return first_inputs(spec, lift, calibration, self.spec.channels * lift.size[2])
        if len(frames) < spec.frames:
            blank = self._blank(len(inputs['images']))
            current = self.frame(self.file.run(blank | inputs), calibration)
            frames = frames + [current] * (spec.frames - len(frames))
        return earlier_inputs(spec, lift, calibration, frames)

    def decode(self, outputs: Mapping[str, Array]) -> list[Detections]:
        """Boxes of the outputs of ``run``, per sample."""
        return detections(
            self.spec.tasks, outputs, nms=self.spec.head != 'nms' or 'boxes_0' not in outputs
        )

    def frame(
        self, outputs: Mapping[str, Array], calibration: Mapping[str, Array] | Calibration
    ) -> EarlierFrame:
        """What later key frames need of one: its outputs of ``run`` and its calibration."""
        kept = {name: outputs[name] for name in KEPT[self.spec.earlier.align]}
        return EarlierFrame(kept, Calibration.of(calibration))

    def geometry(self, calibration: Calibration) -> dict[str, Array]:
        """Geometry inputs of the file by name."""
        if self._cached is None or not self._cached[0].same_geometry(calibration):
            self._cached = calibration, self.spec.geometry(calibration)
        return self._cached[1]

    def _blank(self, batch: int) -> dict[str, Array]:
        """Inputs of earlier frames, without content."""
        return {
            name: np.zeros((batch, *shape[1:]), np.int64 if name.endswith('ranks') else np.float32)
            for name, shape in self.file.inputs.items()
            if name.startswith('earlier_')
        }


def detections(
    tasks: Sequence[TaskSpec], outputs: Mapping[str, Array], nms: bool = True
) -> list[Detections]:
    """Boxes of a file's outputs, per sample.

    Args:
        tasks: decoding of the file.
        outputs: maps or boxes by name and number of the task, and ``depth``.
        nms: apply NMS; False if the file has done so.
    """
    found: list[list[tuple[Array, Array, Array]]] = [[] for _ in outputs['depth']]
    first = 0
    for number, task in enumerate(tasks):
        if f'boxes_{number}' in outputs:
            decoded = scored_boxes(outputs, number)
        else:
            decoded = decode_task(task, {name: outputs[f'{name}_{number}'] for name in MAPS})
        for sample, (boxes, scores, labels) in zip(found, decoded, strict=True):
            kept = suppress(task, boxes, scores, labels) if nms else slice(None)
            sample.append((boxes[kept], scores[kept], labels[kept] + first))
        first += len(task.classes)
    results = []
    for sample, depth in zip(found, outputs['depth'], strict=True):
        boxes, scores, labels = (np.concatenate(parts) for parts in zip(*sample, strict=True))
        boxes[:, 2] -= boxes[:, 5] * np.float32(0.5)  # gravity centre to bottom
        results.append(Detections(boxes, scores, labels, depth))
    return results
