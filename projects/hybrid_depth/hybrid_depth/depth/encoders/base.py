"""Base class and output of depth encoders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...geometry.camera_view import CameraView
from .stage_chain import StageChain


@dataclass
class DepthFeatures:
    """Output of a depth encoder.

    Attributes:
        maps: (B, C_i, h_i, w_i) feature maps, finest first.
        text_logits: (B, N, h_i, w_i) similarity logits of N depth prompts, one per map, or None.
        class_token: (B, C) class token of the image, or None.
    """

    maps: list[Tensor]
    text_logits: list[Tensor] | None = None
    class_token: Tensor | None = None

    def joined(self) -> list[Tensor]:
        """Logits and maps concatenated, (B, N + C_i, h_i, w_i); only the maps without logits.

        The order is that of the official decoder (docs/reference/hybrid_depth.md,
        "Stage 2 encoder").
        """
        if self.text_logits is None:
            return self.maps
        pairs = zip(self.text_logits, self.maps, strict=True)
        return [torch.cat([logits, feature], dim=1) for logits, feature in pairs]


class DepthEncoder(nn.Module, ABC):
    """Base class of depth encoders: images to feature maps.

    Not mmengine's `BaseModule`, whose `init_weights` would call timm's `init_weights` and overwrite
    pretrained weights.

    Attributes:
        out_channels: channels of each map, finest first.
        out_strides: input pixels per map cell, nominal where a tower resizes.
        text_channels: number of text logits per pixel, 0 without language.
    """

    out_channels: list[int]
    out_strides: list[int]
    text_channels: int = 0

    @property
    def tower(self) -> DepthEncoder:
        """The part that sees images alone: this encoder, if it has no prior."""
        return self

    @property
    def prior(self) -> nn.Module | None:
        """Geometric prior of the depth, whose code `add_prior` adds; None without one."""
        return None

    def add_prior(self, features: DepthFeatures, view: CameraView | None) -> DepthFeatures:
        """Features of `tower` and the camera of the images -> features of this encoder."""
        return features

    @abstractmethod
    def forward(self, images: Tensor) -> DepthFeatures:
        """Images (B, 3, H, W), RGB float in [0, 1], any size -> features."""

    def class_token(self, images: Tensor) -> Tensor | None:
        """Images as in `forward` -> only the class token (B, C), or None without one."""
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
