"""Deformable 3 x 3 convolution with predicted offsets."""

import torch
from torch import Tensor, nn


class DeformableConv(nn.Module):
    """Deformable convolution (arXiv 1703.06211), offsets predicted from the same input.

    Parameters and initialisation are those of mmcv's ``DCN`` with one offset group. Initial offsets
    are zero, which is a standard convolution without bias.

    Args:
        channels: channels of input and output.
        groups: groups of the convolution, dividing ``channels``.
    """

    def __init__(self, channels: int, groups: int = 1):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, channels // groups, 3, 3))
        nn.init.kaiming_uniform_(self.weight, nonlinearity='relu')
        self.conv_offset = nn.Conv2d(channels, 2 * 3 * 3, 3, padding=1)
        nn.init.zeros_(self.conv_offset.weight)
        nn.init.zeros_(self.conv_offset.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(M, C, h, w) -> (M, C, h, w); in autocast in the precision of the weights.

        On CPUs torchvision has no half-precision kernel, and autocast does not handle the op.
        """
        from torchvision.ops import deform_conv2d  # slow import (torch's compiler)

        offsets = self.conv_offset(x).to(self.weight.dtype)
        out = deform_conv2d(x.to(self.weight.dtype), offsets, self.weight, padding=1)
        return out.to(x.dtype)
