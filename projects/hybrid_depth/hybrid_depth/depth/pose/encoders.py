"""Pose encoders of image pairs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...foundation.images import InputNormalization
from ..encoders.resnet import build_resnet, resnet_stages
from ..encoders.stage_chain import StageChain


class PoseResNetEncoder(nn.Module):
    """ResNet encoder of images stacked along channels (Monodepth2, arXiv 1806.01260).

    Source: docs/reference/monodepth2.md, "Encoder".

    Args:
        depth, pretrained, num_images: see `build_resnet`.
        mean, std: see `InputNormalization`; 'none' for Hybrid-depth's official pose net.

    Attributes:
        out_channels: channels of the last map.
    """

    def __init__(
        self,
        depth: int = 18,
        pretrained: str | None = None,
        num_images: int = 2,
        mean: str | Sequence[float] = (0.45, 0.45, 0.45),
        std: str | Sequence[float] = (0.225, 0.225, 0.225),
    ) -> None:
        super().__init__()
        self.normalize = InputNormalization(mean, std)
        self.encoder = build_resnet(depth, pretrained, num_images)
        self.out_channels = 512 if depth < 50 else 2048

    def forward(self, images: Sequence[Tensor]) -> Tensor:
        """Images (B, 3, H, W) in time order -> the last map (B, C, H / 32, W / 32)."""
        stacked = torch.cat([self.normalize(image) for image in images], dim=1)
        return StageChain.go_on(stacked, resnet_stages(self.encoder))[-1]


class PoseConvEncoder(nn.Sequential):
    """Encoder of seven convolutions with stride 2, for images stacked along channels.

    Source: docs/reference/monodepth2.md, "Pose networks".

    As the module `net`, it has the keys of the official PoseCNN.
    """

    widths = (16, 32, 64, 128, 256, 256, 256)
    kernels = (7, 5, 3, 3, 3, 3, 3)

    def __init__(self, num_images: int = 2) -> None:
        inputs = (3 * num_images, *self.widths)
        super().__init__(
            *(
                nn.Conv2d(old, new, kernel, stride=2, padding=kernel // 2)
                for old, new, kernel in zip(inputs, self.widths, self.kernels, strict=False)
            )
        )
        self.out_channels = self.widths[-1]

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3 * num_images, H, W) in [0, 1] -> (B, 256, H / 128, W / 128)."""
        for convolution in self:
            x = convolution(x).relu()
        return x
