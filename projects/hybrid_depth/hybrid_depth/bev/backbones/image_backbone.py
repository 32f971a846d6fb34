"""Image backbone with input normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.models.backbones import ResNet
from mmdet3d.registry import MODELS
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@MODELS.register_module()
class BEVResNet(ResNet):
    """mmdet's ResNet with input normalisation, for RGB images in [0, 1].

    Args:
        mean, std: in [0, 1], applied channel by channel *after* reordering.
        channel_order: ``rgb``, or ``bgr`` for official BEVDet weights, trained on BGR images
            normalised with the RGB-ordered statistics (docs/reference/bevdet.md, "Channel order").
        **kwargs: arguments of ``mmdet.ResNet``.
    """

    def __init__(
        self,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        channel_order: str = 'rgb',
        **kwargs,
    ):
        super().__init__(**kwargs)
        if channel_order not in ('rgb', 'bgr'):
            raise ValueError(
                f"BEVResNet: channel_order must be 'rgb' or 'bgr', got {channel_order!r}"
            )
        self.channel_order = channel_order
        self.register_buffer('mean', torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """(M, 3, H, W) RGB in [0, 1] -> stages of ``out_indices``."""
        if self.channel_order == 'bgr':
            images = images.flip(1)
        return super().forward((images - self.mean) / self.std)
