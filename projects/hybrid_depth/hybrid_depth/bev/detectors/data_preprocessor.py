"""Data preprocessor of BEV detectors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet3d.registry import MODELS
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from ...foundation.images import unit_range
from ...geometry import CameraRig
from ..structures import INPUT_MAPS


def _stack(name: str, tensors: Sequence[Tensor]) -> Tensor:
    """Stack one tensor per sample, checking that shapes agree."""
    shapes = {tuple(tensor.shape) for tensor in tensors}
    if len(shapes) > 1:
        raise ValueError(
            f'BEVDataPreprocessor: expected {name} of one shape in a batch, got {sorted(shapes)}; '
            'every sample needs the same cameras and ImageAugmentation the same final_size'
        )
    return torch.stack(list(tensors))


def _frame(inputs: dict) -> dict:
    rig = {name: _stack(name, tensors) for name, tensors in inputs['rig'].items()}
    return dict(imgs=unit_range(_stack('img', inputs['img'])), rig=CameraRig(**rig))


@MODELS.register_module()
class BEVDataPreprocessor(BaseDataPreprocessor):
    """Data preprocessor that stacks a batch of ``PackBEVInputs`` on the device.

    Images of 8 bit become RGB in [0, 1] on the device (each tower normalises its input);
    calibration remains float64.

    ``forward`` returns ``inputs`` = dict(imgs (B, N, 3, H, W), rig ``CameraRig``, ``INPUT_MAPS``
    (B, N, H, W) if set by the pipeline (depths in metres), adjacent list of dict(imgs, rig) if
    there are earlier frames) and ``data_samples`` unchanged.

    Raises:
        ValueError: the samples of a batch differ in image size or number of cameras.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        data = self.cast_data(data)
        inputs = data['inputs']
        batch = _frame(inputs)
        if 'adjacent' in inputs:
            batch['adjacent'] = [_frame(frame) for frame in inputs['adjacent']]
        for name in INPUT_MAPS:
            if name in inputs:
                batch[name] = _stack(name, inputs[name])
        return dict(inputs=batch, data_samples=data.get('data_samples'))
