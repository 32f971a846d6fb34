"""The contract of depth encoders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .stage_chain import StageChain


@dataclass
class DepthFeatures:
    """What a depth encoder hands on.

    Attributes:
        maps: (B, C_i, h_i, w_i) feature maps, finest first.
        text_logits: (B, N, h_i, w_i) logits against N depth sentences, one per map, or None.
        class_token: (B, C) summary of the image, or None.
    """

    maps: list[Tensor]
    text_logits: list[Tensor] | None = None
    class_token: Tensor | None = None

    def joined(self) -> list[Tensor]:
        """Maps with their logits in front (B, N + C_i, h_i, w_i); the maps alone without logits.

        The order is that of the released decoder (docs/reference/hybrid_depth.md,
        "Stage 2 encoder").
        """
        if self.text_logits is None:
            return self.maps
        pairs = zip(self.text_logits, self.maps, strict=True)
        return [torch.cat([logits, feature], dim=1) for logits, feature in pairs]


class DepthEncoder(nn.Module, ABC):
    """Images to feature maps.

    Plain modules down to the towers, not mmengine's `BaseModule`: its `init_weights` would reach
    timm's own `init_weights` and undo pretrained weights.

    Attributes:
        out_channels: channels of each map, finest first.
        out_strides: input pixels per map cell, nominal where a tower resizes.
        text_channels: number of text logits per pixel, 0 without language.
    """

    out_channels: list[int]
    out_strides: list[int]
    text_channels: int = 0

    @abstractmethod
    def forward(self, images: Tensor) -> DepthFeatures:
        """Images (B, 3, H, W), RGB float in [0, 1], any size -> features."""

    def class_token(self, images: Tensor) -> Tensor | None:
        """Images as in `forward` -> the class token (B, C) alone, or None where there is none."""
        return self(images).class_token

    def chain(self) -> StageChain:
        """The tower that a cost volume enters.

        Raises:
            TypeError: this encoder has none.
        """
        raise TypeError(
            f'{type(self).__name__}: expected an encoder with a chain of convolutional stages to '
            'match frames in, got none; take ResNetDepthEncoder, TimmDepthEncoder or a '
            'HybridDepthEncoder with a CLIP ResNet'
        )

    def gather(self, images: Tensor, maps: list[Tensor]) -> DepthFeatures:
        """Images as in `forward` and all maps of `chain` -> features."""
        return DepthFeatures(maps)
