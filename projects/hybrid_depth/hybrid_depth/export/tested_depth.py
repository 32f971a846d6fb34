"""A depth model's file in place of the model, for evaluation by the test loop."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from ..depth.estimators.base import add_prediction
from ..geometry.depth_map import DepthMap
from .onnx_depth import OnnxDepth


@MODELS.register_module()
class OnnxDepthModel(BaseModel):
    """``OnnxDepth`` with the interface of a depth estimator in tests.

    Args:
        file: ONNX file.
        data_preprocessor: as of the model.
    """

    def __init__(self, file: str, data_preprocessor: dict | None = None):
        preprocessor = data_preprocessor or dict(type='DepthDataPreprocessor')
        super().__init__(data_preprocessor=preprocessor)
        self.network = OnnxDepth(file, threads=torch.get_num_threads())

    def forward(
        self, inputs: dict, data_samples: Sequence[BaseDataElement], mode: str = 'predict'
    ) -> list[BaseDataElement]:
        """Inputs of ``DepthDataPreprocessor`` -> samples with depth.

        Raises:
            ValueError: a mode other than ``predict``.
        """
        if mode != 'predict':
            raise ValueError(f"OnnxDepthModel: expected the mode 'predict', got {mode!r}")
        images = {
            frame: inputs['images'][frame].numpy()
            for frame in self.network.spec.frames
            if frame in inputs['images']
        }
        transforms = {frame: x.numpy() for frame, x in inputs.get('transforms', {}).items()}
        physics = _array(inputs.get('physics_depth'))
        found = self.network(
            images,
            _array(inputs.get('cam2img')),
            None if physics is None else physics[:, 0],
            transforms,
        )
        values = torch.from_numpy(found.values).unsqueeze(1)
        add_prediction(data_samples, DepthMap(values, found.kind), '')
        return list(data_samples)


def _array(tensor: Tensor | None):
    return None if tensor is None else tensor.numpy()
