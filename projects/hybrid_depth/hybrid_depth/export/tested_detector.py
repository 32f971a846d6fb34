"""A detector's file in place of the model, for evaluation by the test loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import torch
from mmdet3d.registry import MODELS
from mmdet3d.structures import Det3DDataSample, LiDARInstance3DBoxes
from mmengine.model import BaseModel
from mmengine.structures import InstanceData, PixelData

from ..bev.structures import ego_to_lidar_boxes
from ..geometry import CameraRig
from .calibration import Calibration
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

    def forward(
        self, inputs: dict, data_samples: Sequence[Det3DDataSample], mode: str = 'predict'
    ) -> list[Det3DDataSample]:
        """Inputs of ``BEVDataPreprocessor`` -> samples with boxes and depth.

        Raises:
            ValueError: a mode other than ``predict``.
        """
        if mode != 'predict':
            raise ValueError(f"OnnxDetector: expected the mode 'predict', got {mode!r}")
        current = calibration_of(inputs['rig'])
        earlier = []
        for frame in inputs.get('adjacent', ()):
            images, calibration = frame['imgs'].numpy(), calibration_of(frame['rig'])
            shown = replace(
                current, cam2img=calibration.cam2img, img_aug=calibration.img_aug
            )  # as in AdjacentFrames
            outputs = self.detector.run(images, shown)
            earlier.append(self.detector.frame(outputs, calibration))
        outputs = self.detector.run(inputs['imgs'].numpy(), current, earlier)
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


def calibration_of(rig: CameraRig) -> Calibration:
    """The calibration of a rig."""
    return Calibration(
        **{f.name: getattr(rig, f.name).double().cpu().numpy() for f in fields(Calibration)}
    )
