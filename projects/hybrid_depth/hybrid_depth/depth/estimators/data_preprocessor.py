"""Data preprocessor of depth estimators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from mmengine.registry import MODELS
from torch import Tensor

from ...errors import DepthDataError
from ...foundation.images import unit_range


def _stack(name: str, value: Any) -> Any:
    """Stack every list of tensors inside nested dictionaries; images of 8 bit become floats."""
    if isinstance(value, Mapping):
        return {key: _stack(f'{name}[{key!r}]', item) for key, item in value.items()}
    if isinstance(value, Tensor):
        return unit_range(value)
    shapes = {tuple(tensor.shape) for tensor in value}
    if len(shapes) > 1:
        raise DepthDataError(
            f'DepthDataPreprocessor: expected {name} of one shape in a batch, got {sorted(shapes)};'
            ' every item needs the same size and the same frames'
        )
    return unit_range(torch.stack(list(value)))


@MODELS.register_module()
class DepthDataPreprocessor(BaseDataPreprocessor):
    """Data preprocessor that stacks a batch on the device and makes images RGB in [0, 1].

    Source of the convention: docs/reference/conventions.md, "Images". An item is dict(inputs,
    data_samples), inputs = dict(images {frame: (3, H, W)}, of 8 bit or floats in [0, 1], augmented
    {frame: (3, H, W)} (input of
    the networks; the loss uses `images`), cam2img (3, 3) in pixels of these images, transforms
    {frame: (4, 4)} from frame 0's camera, if known). Frames are 0
    (the target), -1, 1, ... in time, and 's', the other camera. Only images[0] is needed for
    prediction.

    Raises:
        DepthDataError: items of a batch differ in size.
        ValueError: frame 0 is missing.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Collated items -> dict(inputs with a batch dimension, data_samples)."""
        data = self.cast_data(data)
        inputs = {name: _stack(name, value) for name, value in data['inputs'].items()}
        if 0 not in inputs.get('images', {}):
            raise ValueError(
                "DepthDataPreprocessor: expected inputs['images'][0], the target frame, got "
                f'inputs {sorted(inputs)} with images {list(inputs.get("images", {}))}'
            )
        return dict(inputs=inputs, data_samples=data.get('data_samples'))
