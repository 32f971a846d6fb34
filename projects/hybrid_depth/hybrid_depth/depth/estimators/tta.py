"""Test-time augmentation of depth models."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseTTAModel
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from ...errors import ConfigError
from ...geometry import DepthMap
from .base import add_prediction

_MULTIPLE = 32  # of the sides of resized images


@MODELS.register_module()
class DepthTTA(BaseTTAModel):
    """Mean of a depth model's predictions over mirrored and resized images.

    The mean is that of the model's own values: of disparity for self-supervised models.
    Monodepth2's post-processing, which takes each border from one of two mirrored predictions, is
    another mean (`merge_flipped`).

    Args:
        module: depth model config.
        scales: factors of the image size; sides are rounded to multiples of 32.
        flip: predict from mirrored images too.

    Raises:
        ConfigError: other scales than 1 for a model of metric depth, which takes the size of things
            in pixels for their distance.
    """

    def __init__(self, module: dict, scales: Sequence[float] = (1.0,), flip: bool = True) -> None:
        super().__init__(module)
        self.scales = tuple(scales)
        self.views = [(s, f) for s in scales for f in ((False, True) if flip else (False,))]

    @torch.no_grad()
    def test_step(self, data: dict) -> list[BaseDataElement]:
        """Predictions for a batch, as of `DepthEstimator.forward` in mode 'predict'."""
        data = self.module.data_preprocessor(data, False)
        inputs, samples = data['inputs'], data['data_samples']
        found = [self._predictions(inputs, scale, flip) for scale, flip in self.views]
        for name, prediction in self.merge_preds(found).items():
            add_prediction(samples, prediction, name)
        return samples

    def merge_preds(self, data_samples_list: Sequence[dict[str, DepthMap]]) -> dict[str, DepthMap]:
        """Mean of the predictions over the views, by name."""
        return {
            name: DepthMap(torch.stack([p[name].values for p in data_samples_list]).mean(0), m.kind)
            for name, m in data_samples_list[0].items()
        }

    def _predictions(self, inputs: dict, scale: float, flip: bool) -> dict[str, DepthMap]:
        """Predictions from augmented images, at the size of the images and mirrored back."""
        size = tuple(inputs['images'][0].shape[-2:])
        predictions = self.module.predictions(augmented(inputs, scale, flip))
        for name, prediction in predictions.items():
            if prediction.kind == 'metric' and self.scales != (1.0,):
                raise ConfigError(
                    f'test-time augmentation of {type(self.module).__name__}, a model of metric '
                    f'depth, expected no scales other than 1, got {self.scales}; use --tta alone'
                )
            values = prediction.values.flip(-1) if flip else prediction.values
            if tuple(values.shape[-2:]) != size:
                values = F.interpolate(values, size, mode='bilinear', align_corners=False)
            predictions[name] = DepthMap(values, prediction.kind)
        return predictions


def augmented(inputs: dict, scale: float, flip: bool) -> dict:
    """Inputs of a depth model with resized and mirrored images, and intrinsics to match.

    Args:
        inputs: output of `DepthDataPreprocessor`.
        scale: factor of the image size.
        flip: mirror horizontally.
    """
    height, width = inputs['images'][0].shape[-2:]
    size = (height, width)
    if scale != 1:
        size = tuple(max(1, round(n * scale / _MULTIPLE)) * _MULTIPLE for n in size)
    result = dict(inputs)
    result['images'] = {i: _moved(x, size, flip, 'bilinear') for i, x in inputs['images'].items()}
    if 'cam2img' in inputs:
        result['cam2img'] = _moved_cameras(inputs['cam2img'], (height, width), size, flip)
    if 'physics_depth' in inputs:
        result['physics_depth'] = _moved(inputs['physics_depth'], size, flip, 'nearest')
    return result


def _moved_cameras(
    cam2img: Tensor, old: tuple[int, int], new: tuple[int, int], flip: bool
) -> Tensor:
    """Intrinsics (B, 3, 3) of resized images, and of the mirrored world in mirrored ones."""
    sx, sy = new[1] / old[1], new[0] / old[0]
    resize = torch.tensor([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2], [0, 0, 1]])
    moved = resize.to(cam2img) @ cam2img
    if flip:
        moved[:, 0, 2] = new[1] - 1 - moved[:, 0, 2]
    return moved


def _moved(images: Tensor, size: tuple[int, int], flip: bool, mode: str) -> Tensor:
    """(B, C, H, W) resized and mirrored."""
    if tuple(images.shape[-2:]) != size:
        smooth = dict(antialias=True, align_corners=False) if mode == 'bilinear' else {}
        images = F.interpolate(images, size, mode=mode, **smooth)
    return images.flip(-1) if flip else images
