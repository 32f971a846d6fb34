"""Camera-aware depth net of BEVDepth, in BEVDet's implementation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.models.backbones.resnet import BasicBlock
from mmdet3d.registry import MODELS
from torch import Tensor, nn

from ...errors import ConfigError
from ...geometry import CameraRig, DepthBins
from .base import DepthDistribution, DepthNet
from .deformable_conv import DeformableConv
from .semantics import SemanticHead

CAMERA_NUMBERS = 27


def camera_vector(rig: CameraRig) -> Tensor:
    """Camera parameters and augmentation as vectors (B * N, 27), float32.

    fx, fy, cx, cy; image affine r00 r01 t0 r10 r11 t1; BDA r00 r01 r10 r11 r22; camera-to-ego 3x4
    row-major (docs/reference/bevdet.md, "Camera-aware depth net").
    """
    k, aug = rig.cam2img, rig.img_aug
    bda = rig.bda.unsqueeze(1).expand(-1, rig.num_cams, -1, -1)
    numbers = [k[..., 0, 0], k[..., 1, 1], k[..., 0, 2], k[..., 1, 2]]
    numbers += list(aug[..., :2, :3].flatten(-2).unbind(-1))
    numbers += [bda[..., 0, 0], bda[..., 0, 1], bda[..., 1, 0], bda[..., 1, 1], bda[..., 2, 2]]
    numbers += list(rig.cam2ego[..., :3, :].flatten(-2).unbind(-1))
    return torch.stack(numbers, -1).flatten(0, 1).float()


class CameraMLP(nn.Module):
    """Two linear layers from camera parameters to channel gates."""

    def __init__(self, in_features: int, features: int):
        super().__init__()
        self.fc1 = nn.Linear(in_features, features)
        self.fc2 = nn.Linear(features, features)

    def forward(self, x: Tensor) -> Tensor:
        """(M, in) -> (M, features)."""
        return self.fc2(self.fc1(x).relu())


class CameraGate(nn.Module):
    """Squeeze-and-excitation with gates from the camera parameters instead of the image."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv_reduce = nn.Conv2d(channels, channels, 1)
        self.conv_expand = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, camera: Tensor) -> Tensor:
        """Gate (M, C, h, w) by (M, C)."""
        squeeze = self.conv_reduce(camera[..., None, None]).relu()
        return x * self.conv_expand(squeeze).sigmoid()


class _AtrousBranch(nn.Module):
    def __init__(self, in_channels: int, channels: int, dilation: int):
        super().__init__()
        kernel, padding = (1, 0) if dilation == 1 else (3, dilation)
        self.atrous_conv = nn.Conv2d(
            in_channels, channels, kernel, padding=padding, dilation=dilation, bias=False
        )
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.atrous_conv(x)).relu()


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling with BEVDet's module names.

    Args:
        channels: input and output channels.
        mid_channels: channels of each branch (BEVDet 96, FB-OCC and Megvii 512).
    """

    def __init__(self, channels: int, mid_channels: int):
        super().__init__()
        self.aspp1, self.aspp2, self.aspp3, self.aspp4 = (
            _AtrousBranch(channels, mid_channels, dilation) for dilation in (1, 6, 12, 18)
        )
        self.global_avg_pool = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, mid_channels, 1, bias=False),
            nn.BatchNorm2d(mid_channels),
            nn.ReLU(),
        )
        self.conv1 = nn.Conv2d(5 * mid_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(M, C, h, w) -> (M, C, h, w)."""
        pooled = self.global_avg_pool(x).expand(-1, -1, *x.shape[-2:])
        branches = [self.aspp1(x), self.aspp2(x), self.aspp3(x), self.aspp4(x), pooled]
        return self.dropout(self.bn1(self.conv1(torch.cat(branches, 1))).relu())


@MODELS.register_module()
class CameraAwareDepthNet(DepthNet, nn.Module):
    """Depth net with depth and context gated by camera parameters (BEVDepth, arXiv 2206.10092).

    Attribute names are BEVDet's, so official *-Depth weights can be loaded.

    Args:
        in_channels: image feature channels.
        context_channels: channels to lift.
        bins: shared depth bins.
        mid_channels: hidden channels (official 512).
        aspp_channels: channels of each ASPP branch (official BEVDet 96).
        use_dcn: add a deformable convolution after the ASPP, as in Megvii's BEVDepth.
        depth_supervision: see ``DepthNet``.
        semantics: arguments of ``SemanticHead``, whose class probabilities replace as many context
            channels; None for the published net.
    """

    def __init__(
        self,
        in_channels: int,
        context_channels: int,
        bins: DepthBins,
        mid_channels: int = 512,
        aspp_channels: int = 96,
        use_dcn: bool = False,
        depth_supervision: Sequence[dict] = (),
        semantics: dict | None = None,
    ):
        super().__init__()
        self.set_up_depth(bins, depth_supervision)
        self.reduce_conv = nn.Sequential(
            nn.Conv2d(in_channels, mid_channels, 3, padding=1),
            nn.BatchNorm2d(mid_channels),
            nn.ReLU(),
        )
        self.bn = nn.BatchNorm1d(CAMERA_NUMBERS)
        self.depth_mlp = CameraMLP(CAMERA_NUMBERS, mid_channels)
        self.depth_se = CameraGate(mid_channels)
        self.context_mlp = CameraMLP(CAMERA_NUMBERS, mid_channels)
        self.context_se = CameraGate(mid_channels)
        self.semantics = SemanticHead(mid_channels, **semantics) if semantics else None
        if self.semantics:
            context_channels -= self.semantics.num_classes
        self.context_conv = nn.Conv2d(mid_channels, context_channels, 1)
        self.depth_conv = nn.Sequential(
            *(BasicBlock(mid_channels, mid_channels) for _ in range(3)),
            ASPP(mid_channels, aspp_channels),
            *([DeformableConv(mid_channels, groups=4)] if use_dcn else []),
            nn.Conv2d(mid_channels, bins.num, 1),
        )

    def forward(self, image_feats: Tensor, images: Tensor, rig: CameraRig) -> DepthDistribution:
        """(B * N, C_in, h, w) features and B x N cameras -> distribution; images are not used.

        Raises:
            ConfigError: training with a single image, of which batch norm has no variance.
        """
        if self.training and len(image_feats) == 1:
            raise ConfigError(
                f'{type(self).__name__}: expected at least 2 images per batch in training, for '
                'batch norm, got one camera at batch size 1; set train_dataloader.batch_size=2'
            )
        camera = self.bn(camera_vector(rig))
        x = self.reduce_conv(image_feats)
        context = self.context_conv(self.context_se(x, self.context_mlp(camera)))
        logits = self.depth_conv(self.depth_se(x, self.depth_mlp(camera)))
        if self.semantics is None:
            return DepthDistribution(logits=logits, context=context)
        classes = self.semantics(x)
        context = self.semantics.enrich(context, classes)
        return DepthDistribution(logits=logits, context=context, aux=dict(semantics=classes))

    def loss(self, distribution: DepthDistribution, inputs: dict) -> dict[str, Tensor]:
        """Depth losses, and the semantic loss if there is such a head."""
        losses = super().loss(distribution, inputs)
        if self.semantics is not None:
            losses['loss_semantics'] = self.semantics.loss(distribution.aux['semantics'], inputs)
        return losses
