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
        **kwargs: arguments of ``mmdet.ResNet``. ``with_cp`` (checkpointing, in the official
            configs) saves a GPU's memory; on the CPU, where it would cost a fifth of a training
            step, it does nothing.
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
        self._checkpointed = [m for m in self.modules() if getattr(m, 'with_cp', False)]

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """(M, 3, H, W) RGB in [0, 1] -> stages of ``out_indices``."""
        for module in self._checkpointed:
            module.with_cp = images.device.type != 'cpu'
        return super().forward(self.normalize(images))
