"""Image backbone with input normalisation."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.models.backbones import ResNet
from mmdet3d.registry import MODELS
from torch import Tensor

from ...foundation.images import InputNormalization


@MODELS.register_module()
class BEVResNet(ResNet):
    """mmdet's ResNet with input normalisation, for RGB images in [0, 1].

    Args:
        mean, std, channel_order: see ``InputNormalization``; ``bgr`` for official BEVDet weights
            (docs/reference/bevdet.md, "Channel order").
        **kwargs: arguments of ``mmdet.ResNet``.
    """

    def __init__(
        self,
        mean: str | Sequence[float] = 'imagenet',
        std: str | Sequence[float] = 'imagenet',
        channel_order: str = 'rgb',
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.channel_order = channel_order
        self.normalize = InputNormalization(mean, std, channel_order)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """(M, 3, H, W) RGB in [0, 1] -> stages of ``out_indices``."""
        return super().forward(self.normalize(images))
