"""A detector's file in place of the model, for evaluation by the test loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import torch
from mmdet3d.registry import MODELS
from mmdet3d.structures import Det3DDataSample, LiDARInstance3DBoxes
from mmengine.model import BaseModel
from mmengine.structures import InstanceData, PixelData

from ..bev.structures import ego_to_lidar_boxes
from ..errors import DepthDataError
from ..geometry import CameraRig
from .calibration import Array, Calibration
from .earlier_frames import EarlierFrame
from .onnx_bevdet import OnnxBEVDet


@MODELS.register_module()
class OnnxDetector(BaseModel):
    """``OnnxBEVDet`` with the interface of a detector in tests: ``BEVDet.predict``.

    Args:
        file: ONNX file.
        data_preprocessor: as of the model.
    """

    def __init__(self, file: str, data_preprocessor: dict | None = None):
        preprocessor = data_preprocessor or dict(type='mmdet3d.BEVDataPreprocessor')
        super().__init__(data_preprocessor=preprocessor)
        self.detector = OnnxBEVDet(file, threads=torch.get_num_threads())
        earlier = self.detector.spec.earlier
        self.recurrent = earlier is not None and earlier.align == 'recurrent'
        self._before: dict[tuple[str, int], EarlierFrame] = {}  # by sequence and place in it

    def forward(
        self, inputs: dict, data_samples: Sequence[Det3DDataSample], mode: str = 'predict'
    ) -> list[Det3DDataSample]:
        """Inputs of ``BEVDataPreprocessor`` -> samples with boxes and depth.

        Raises:
            ValueError: a mode other than ``predict``.
        """
        if mode != 'predict':
            raise ValueError(f"OnnxDetector: expected the mode 'predict', got {mode!r}")
        outputs = self._recurrent(inputs, data_samples) if self.recurrent else self._run(inputs)
        for sample, found in zip(data_samples, self.detector.decode(outputs), strict=True):
            boxes = LiDARInstance3DBoxes(torch.from_numpy(found.boxes), found.boxes.shape[1])
            sample.pred_instances_3d = InstanceData(
                bboxes_3d=ego_to_lidar_boxes(boxes, sample.metainfo['lidar2boxes']),
                scores_3d=torch.from_numpy(found.scores),
                labels_3d=torch.from_numpy(found.labels),
            )
            sample.pred_depth = PixelData(data=torch.from_numpy(found.depth))
        for sample, depth in zip(data_samples, inputs.get('gt_depth', ()), strict=False):
            sample.gt_depth = PixelData(data=depth)
        return list(data_samples)

    def _run(self, inputs: dict) -> dict[str, Array]:
        current = calibration_of(inputs['rig'])
        earlier = []
        for frame in inputs.get('adjacent', ()):
            images, calibration = frame['imgs'].numpy(), calibration_of(frame['rig'])
            shown = replace(
                current, cam2img=calibration.cam2img, img_aug=calibration.img_aug
            )  # as in AdjacentFrames
            outputs = self.detector.run(images, shown)
            earlier.append(self.detector.frame(outputs, calibration))
        return self.detector.run(inputs['imgs'].numpy(), current, earlier)

    def _recurrent(self, inputs: dict, data_samples: Sequence[Det3DDataSample]) -> dict[str, Array]:
        """Outputs of samples that are each the next of its sequence, as in ``History``."""
        rig, found, kept = calibration_of(inputs['rig']), [], {}
        for place, sample in enumerate(data_samples):
            name, index = sample.metainfo.get('sequence', ('none', -1))
            if index and (name, index - 1) not in self._before:
                raise DepthDataError(
                    f'OnnxDetector: expected the key frames of each sequence in order, got frame '
                    f'{index} of {name} without the one before; set sequence_length of the data '
                    "set and batch_sampler=dict(type='SequenceBatchSampler')"
                )
            time = np.array([sample.metainfo['timestamp']], np.float64)
            calibration = replace(rig.sample(place), time=time)
            before = [self._before[name, index - 1]] if index else []
            images = inputs['imgs'][place : place + 1].numpy()
            found.append(self.detector.run(images, calibration, before))
            kept[name, index] = self.detector.frame(found[-1], calibration)
        self._before = kept
        return {key: np.concatenate([each[key] for each in found]) for key in found[0]}


def calibration_of(rig: CameraRig) -> Calibration:
    """The calibration of a rig."""
    arrays = {f.name: getattr(rig, f.name).double().cpu().numpy() for f in fields(CameraRig)}
    return Calibration.of(arrays)
