"""timm models as image backbones of detectors."""

from __future__ import annotations

from mmdet3d.registry import MODELS
from torch import Tensor

from ...depth.encoders.timm_encoder import TimmDepthEncoder


@MODELS.register_module()
class TimmBackbone(TimmDepthEncoder):
    """Image backbone of a detector from any timm model with `features_only`, RGB in [0, 1].

    The view transformer needs a map of its stride (16), the finest of `out_indices`: of pyramids
    the third and fourth stage; of vision transformers with patches of 16 pixels the last block
    (`out_indices=(-1,)`). Sizes of images: see `TimmDepthEncoder`.

    Args:
        **kwargs: of `TimmDepthEncoder`: name, pretrained, out_indices, mean, std, channel_order,
            and options of timm.

    Attributes:
        channel_order: of the network's input.
    """

    def __init__(self, channel_order: str = 'rgb', **kwargs) -> None:
        super().__init__(channel_order=channel_order, **kwargs)
        self.channel_order = channel_order

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """(M, 3, H, W) RGB in [0, 1] -> maps of `out_indices`, finest first."""
        return tuple(super().forward(images).maps)
