"""Pose nets: camera motion between two frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmengine.registry import MODELS
from torch import Tensor, nn

from ...geometry.poses import Motion
from ..encoders import DepthFeatures
from .decoder import OUTPUT_SCALE, PoseDecoder
from .encoders import PoseConvEncoder, PoseResNetEncoder


@dataclass
class Frame:
    """Image of a sequence, with features of the depth encoder.

    Attributes:
        images: (B, 3, H, W) RGB in [0, 1].
        features: output of the depth encoder, if the pose net needs it.
    """

    images: Tensor
    features: DepthFeatures | None = None


class PoseNet(nn.Module, ABC):
    """Base class of pose nets.

    Attributes:
        needs: required input of both frames: None, 'features' of the depth encoder, or only its
            'class_token'.
        depth_scaled: the translation is in units of the scene's mean depth; the loss multiplies it
            by the mean disparity.
    """

    needs: str | None = None
    depth_scaled = False

    @abstractmethod
    def forward(self, first: Frame, second: Frame) -> Motion:
        """Motion of points from the first (earlier) camera's frame to the second's."""


def _first_motion(motions: Tensor) -> Motion:
    return Motion(motions[:, 0, :3], motions[:, 0, 3:])


@MODELS.register_module()
class ResNetPoseNet(PoseNet):
    """Separate ResNet on both images (published pose net of Monodepth2 and Hybrid-depth).

    Args:
        depth, pretrained, mean, std: see `PoseResNetEncoder`.
        num_motions: see `PoseDecoder`; official weights have 2.
    """

    def __init__(
        self,
        depth: int = 18,
        pretrained: str | None = None,
        num_motions: int = 2,
        mean: str | Sequence[float] = (0.45, 0.45, 0.45),
        std: str | Sequence[float] = (0.225, 0.225, 0.225),
    ) -> None:
        super().__init__()
        self.encoder = PoseResNetEncoder(depth, pretrained, 2, mean, std)
        self.decoder = PoseDecoder(self.encoder.out_channels, 1, num_motions)

    def forward(self, first: Frame, second: Frame) -> Motion:
        """See `PoseNet`."""
        return _first_motion(self.decoder([self.encoder([first.images, second.images])]))


@MODELS.register_module()
class SharedPoseNet(PoseNet):
    """Pose decoder on the depth encoder's coarsest maps of both frames (Monodepth2's 'shared').

    Args:
        in_channels: channels of that map.
    """

    needs = 'features'

    def __init__(self, in_channels: int = 512) -> None:
        super().__init__()
        self.decoder = PoseDecoder(in_channels, num_inputs=2, num_motions=1)

    def forward(self, first: Frame, second: Frame) -> Motion:
        """See `PoseNet`."""
        maps = [frame.features.maps[-1] for frame in (first, second)]
        return _first_motion(self.decoder(maps))


@MODELS.register_module()
class PoseCNN(PoseNet):
    """Pose net of seven convolutions on both images (Monodepth2's 'posecnn', after SfMLearner)."""

    depth_scaled = True

    def __init__(self) -> None:
        super().__init__()
        self.net = PoseConvEncoder(num_images=2)
        self.pose_conv = nn.Conv2d(self.net.out_channels, 6, 1)

    def forward(self, first: Frame, second: Frame) -> Motion:
        """See `PoseNet`."""
        x = self.net(torch.cat([first.images, second.images], dim=1))
        return _first_motion(OUTPUT_SCALE * self.pose_conv(x).mean((2, 3)).unsqueeze(1))


@MODELS.register_module()
class ClassTokenPoseNet(PoseNet):
    """Linear pose net on both frames' class tokens.

    Option `dino_cls_token` of Hybrid-depth (docs/reference/hybrid_depth.md, "Camera motion").

    Args:
        channels: channels of a class token.
    """

    needs = 'class_token'

    def __init__(self, channels: int = 768) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * channels, 6)

    def forward(self, first: Frame, second: Frame) -> Motion:
        """See `PoseNet`.

        Raises:
            ValueError: the depth encoder has no class token.
        """
        tokens = [frame.features.class_token for frame in (first, second)]
        if tokens[0] is None:
            raise ValueError(
                'ClassTokenPoseNet: expected an encoder with class tokens (HybridDepthEncoder with '
                'dino), got none; use ResNetPoseNet'
            )
        return _first_motion(OUTPUT_SCALE * self.linear(torch.cat(tokens, dim=1)).unsqueeze(1))
