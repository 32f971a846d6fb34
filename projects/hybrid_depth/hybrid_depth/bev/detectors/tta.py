"""Test-time augmentation of detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from mmdet3d.registry import MODELS
from mmdet3d.structures import Det3DDataSample
from mmengine.model import BaseTTAModel
from torch import Tensor

from ...errors import ConfigError
from ...geometry import CameraRig
from ..parts import Frame
from ..temporal import History
from ..transforms.image_augmentation import ImageAugmentationParams


@MODELS.register_module()
class DetectorTTA(BaseTTAModel):
    """Mean of a detector's predictions over mirrored and enlarged images.

    The calibration follows the images (``img_aug``), so all BEV maps are in the same frame: the
    head's maps are averaged, heatmaps as probabilities, and decoded once. The depth is that of the
    unchanged images. (CenterPoint's double flip, arXiv 2006.11275, averages its maps likewise, of
    mirrored points.)

    Args:
        module: ``BEVDet`` config.
        scales: zoom factors about the image centre; the size of the images stays.
        flip: predict from mirrored images too.

    Raises:
        ConfigError: a recurrent detector, whose history an augmented image would enter.
    """

    def __init__(self, module: dict, scales: Sequence[float] = (1.0,), flip: bool = True) -> None:
        super().__init__(module)
        if isinstance(self.module.temporal, History):
            raise ConfigError(
                'test-time augmentation expected a detector without recurrence, got one with a '
                'History; use AdjacentFrames, or test without --tta'
            )
        self.views = [(s, f) for s in scales for f in ((False, True) if flip else (False,))]

    @torch.no_grad()
    def test_step(self, data: dict) -> list[Det3DDataSample]:
        """Predictions for a batch, as of ``BEVDet.predict``."""
        data = self.module.data_preprocessor(data, False)
        inputs, samples = data['inputs'], data['data_samples']
        _, distribution = self.module.lift(Frame.of(inputs, samples))
        maps = [
            self.module._forward(augmented(inputs, scale, flip), samples)
            for scale, flip in self.views
        ]
        return self.module.detect(self.merge_preds(maps), distribution, inputs, samples)

    def merge_preds(self, data_samples_list: Sequence[tuple[list[dict]]]) -> tuple[list[dict], ...]:
        """Mean of the head's maps over the views, by task and level."""
        return tuple(
            [
                {name: _mean_map(name, [level[name] for level in levels]) for name in levels[0]}
                for levels in zip(*tasks, strict=True)
            ]
            for tasks in zip(*data_samples_list, strict=True)
        )


def augmented(inputs: dict, scale: float, flip: bool) -> dict:
    """Inputs of a detector with zoomed and mirrored images, and calibration to match.

    Args:
        inputs: output of ``BEVDataPreprocessor``.
        scale: zoom factor about the image centre; black where it shows more than the image.
        flip: mirror horizontally.
    """
    size = inputs['imgs'].shape[-2:]
    params = _params(size, scale, flip)
    result = dict(inputs, **_frame(inputs, params))
    if 'adjacent' in inputs:
        result['adjacent'] = [dict(frame, **_frame(frame, params)) for frame in inputs['adjacent']]
    if 'physics_depth' in inputs:
        result['physics_depth'] = _moved(inputs['physics_depth'][:, :, None], params, 'nearest')[
            :, :, 0
        ]
    return result


def _params(size: tuple[int, int], scale: float, flip: bool) -> ImageAugmentationParams:
    """Zoom about the centre of images of size (H, W), and mirroring."""
    height, width = size
    resized = round(width * scale), round(height * scale)
    left, top = (resized[0] - width) // 2, (resized[1] - height) // 2
    crop = left, top, left + width, top + height
    return ImageAugmentationParams(resized[0] / width, resized, crop, flip)


def _frame(frame: dict, params: ImageAugmentationParams) -> dict:
    """Images and rig of a frame, augmented."""
    rig: CameraRig = frame['rig']
    move = torch.as_tensor(params.matrix(), dtype=rig.img_aug.dtype, device=rig.img_aug.device)
    images = _moved(frame['imgs'], params, 'bilinear')
    return dict(imgs=images, rig=replace(rig, img_aug=move @ rig.img_aug))


def _moved(images: Tensor, params: ImageAugmentationParams, mode: str) -> Tensor:
    """(B, N, C, H, W) resized, cropped or padded with 0, and mirrored."""
    flat = images.flatten(0, 1)
    left, top, right, bottom = params.crop
    width, height = params.resize_dims
    if (height, width) != tuple(flat.shape[-2:]):
        smooth = dict(antialias=True, align_corners=False) if mode == 'bilinear' else {}
        flat = F.interpolate(flat, (height, width), mode=mode, **smooth)
        flat = F.pad(flat, (-left, right - width, -top, bottom - height))  # negative values crop
    flat = flat.flip(-1) if params.flip else flat
    return flat.unflatten(0, images.shape[:2])


def _mean_map(name: str, maps: Sequence[Tensor]) -> Tensor:
    stacked = torch.stack(list(maps))
    if name == 'heatmap':  # of logits
        return stacked.sigmoid().mean(0).logit(eps=1e-6)
    return stacked.mean(0)
