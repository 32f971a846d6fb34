"""HRNet as depth encoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from ...foundation.images import InputNormalization
from ...foundation.weights import build_timm
from .base import DepthEncoder, DepthFeatures


@MODELS.register_module()
class DHRNetEncoder(DepthEncoder):
    """Encoder of D-HRNet (RA-Depth, arXiv 2207.11984): HRNet-W18 without head, any input size.

    timm's network with bilinear upsampling between its branches
    (docs/reference/mono_vifi.md, "D-HRNet"). State-dict keys are the official ones.

    Args:
        pretrained: None for random weights, 'hub' for timm's of ImageNet-1k, or a file.
        mean, std: see `InputNormalization`; the defaults are Monodepth2's.
    """

    def __init__(
        self,
        pretrained: str | None = None,
        mean: str | Sequence[float] = (0.45, 0.45, 0.45),
        std: str | Sequence[float] = (0.225, 0.225, 0.225),
    ) -> None:
        super().__init__()
        self.normalize = InputNormalization(mean, std)
        name = 'hrnet_w18' if pretrained is None else 'hrnet_w18.ms_aug_in1k'
        self.encoder = build_timm(name, pretrained, features_only=True, feature_location='')
        for module in self.encoder.modules():
            if isinstance(module, nn.Upsample):
                module.mode, module.align_corners = 'bilinear', True
        self.out_channels = self.encoder.feature_info.channels()
        self.out_strides = self.encoder.feature_info.reduction()

    def forward(self, images: Tensor) -> DepthFeatures:
        """Images (B, 3, H, W), RGB float in [0, 1] -> five maps, strides 2 to 32."""
        size, coarsest = images.shape[-2:], self.out_strides[-1]
        # the branches are only added up if all have their nominal size
        rows, columns = (-side % coarsest for side in size)
        padded = F.pad(self.normalize(images), (0, columns, 0, rows), mode='replicate')
        return DepthFeatures(
            [
                feature[..., : -(-size[0] // stride), : -(-size[1] // stride)]
                for feature, stride in zip(self.encoder(padded), self.out_strides, strict=True)
            ]
        )
