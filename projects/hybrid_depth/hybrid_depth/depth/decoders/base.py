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
