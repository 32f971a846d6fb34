"""CLIP image towers alone as depth encoders."""

from __future__ import annotations

from mmengine.registry import MODELS
from torch import Tensor

from ...foundation import CLIPTower
from .base import DepthEncoder, DepthFeatures


@MODELS.register_module()
class CLIPDepthEncoder(DepthEncoder):
    """Depth encoder of the maps of a CLIP image tower, without language.

    Args:
        **clip: arguments of `CLIPTower`.

    Raises:
        ValueError, FileNotFoundError, CheckpointMismatchError: see `CLIPTower`.
    """

    def __init__(self, **clip) -> None:
        super().__init__()
        self.clip = CLIPTower(**clip)
        self.out_channels, self.out_strides = self.clip.out_channels, self.clip.out_strides

    def forward(self, images: Tensor) -> DepthFeatures:
        """Images (B, 3, H, W), RGB float in [0, 1] -> the tower's maps, finest first."""
        return DepthFeatures(list(self.clip(images).values()))
