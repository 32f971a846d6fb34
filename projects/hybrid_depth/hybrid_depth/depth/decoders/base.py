"""Base class of depth decoders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from ..encoders import DepthFeatures


class DepthDecoder(nn.Module, ABC):
    """Base class of depth decoders: feature maps to disparity.

    Attributes:
        scales: scales of the disparities; scale s has 1 / 2^s of the image size.
    """

    scales: tuple[int, ...]

    @abstractmethod
    def forward(self, features: DepthFeatures, image_size: tuple[int, int]) -> dict[int, Tensor]:
        """Features and the image's (H, W) -> {scale: disparity (B, 1, H / 2^s, W / 2^s)}.

        Disparity is the raw network output, not yet scaled to a depth range.
        """

    def check_maps(self, maps: list[Tensor], image_size: tuple[int, int]) -> None:
        """For decoders of pyramids that pad by reflection, with `in_channels` and `in_strides`.

        Raises:
            ValueError: other channels, or an image too small for the padding of the coarsest map.
        """
        got = [feature.shape[1] for feature in maps]
        if got != self.in_channels:
            raise ValueError(
                f'{type(self).__name__}: expected maps with channels {self.in_channels} (text '
                f'logits included), got {got}'
            )
        if min(maps[-1].shape[-2:]) < 2:
            least = self.in_strides[-1] + 1
            raise ValueError(
                f'{type(self).__name__}: expected images of at least {least} x {least} pixels, got '
                f'{image_size[0]} x {image_size[1]}'
            )
