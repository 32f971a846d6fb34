"""IFRNet: frame interpolation by flows that are refined together with features."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from ...checkpoints.safe_load import load_checkpoint_file
from ...checkpoints.strict_load import load_strictly
from ...geometry.flow import resize_flow, warp_by_flow
from .output import Interpolation

#: Widths of the encoder's levels, and the kernel of its first convolution.
SIZES = dict(small=((24, 36, 54, 72), 3), large=((64, 96, 144, 192), 7))
_STRIDE = 16  # of the deepest level


def _conv(inputs: int, width: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution and PReLU with a slope per channel."""
    return nn.Sequential(nn.Conv2d(inputs, width, kernel, stride, kernel // 2), nn.PReLU(width))


class _Block(nn.Module):
    """Residual block of five convolutions, two of which change the last `side` channels only."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.conv1, self.conv3 = _conv(width, width), _conv(width, width)
        self.conv2, self.conv4 = _conv(side, side), _conv(side, side)
        self.conv5 = nn.Conv2d(width, width, 3, padding=1)
        self.prelu = nn.PReLU(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C, h, w)."""
        out = self._change_side(self.conv1(x), self.conv2)
        out = self._change_side(self.conv3(out), self.conv4)
        return self.prelu(x + self.conv5(out))

    def _change_side(self, x: Tensor, convolution: nn.Module) -> Tensor:
        kept, side = x.split([x.shape[1] - self.side, self.side], 1)
        return torch.cat([kept, convolution(side)], 1)


class _Encoder(nn.Module):
    """Four levels of strides 2 to 16."""

    def __init__(self, widths: Sequence[int], kernel: int) -> None:
        super().__init__()
        inputs = 3
        for level, width in enumerate(widths, 1):
            convs = _conv(inputs, width, kernel, stride=2), _conv(width, width)
            self.add_module(f'pyramid{level}', nn.Sequential(*convs))
            inputs, kernel = width, 3

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, h, w) -> maps, finest first."""
        maps = []
        for level in self.children():
            images = level(images)
            maps.append(images)
        return maps


class _Decoder(nn.Module):
    """Refines flows and feature of one level, and upsamples them."""

    def __init__(self, inputs: int, width: int, side: int, outputs: int) -> None:
        super().__init__()
        self.convblock = nn.Sequential(
            _conv(inputs, width),
            _Block(width, side),
            nn.ConvTranspose2d(width, outputs, 4, stride=2, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, outputs, 2 h, 2 w)."""
        return self.convblock(x)


@MODELS.register_module()
class IFRNet(nn.Module):
    """Frame interpolation network IFRNet (arXiv 2205.14620) as Mono-ViFI uses it.

    Without the residual image, which would be no part of either frame; at half the width
    (docs/reference/mono_vifi.md, "Frame interpolation"). State-dict keys are the official ones.
    Any image size: the network sees multiples of 16.

    Args:
        size: 'small' or 'large'.
        working_size: rows and columns that the network sees; None for the height and half the width
            of the images. (192, 320) as published for images of 320x1024.
        pretrained: checkpoint of a `FrameInterpolation`, trained or converted (`convert-checkpoint
            ifrnet`); None for random weights.

    Raises:
        ValueError: another `size`, or a working size that is no multiple of 16.
        FileNotFoundError: no such checkpoint.
        CheckpointMismatchError: weights of another network.
    """

    def __init__(
        self,
        size: str = 'large',
        working_size: tuple[int, int] | None = None,
        pretrained: str | None = None,
    ) -> None:
        super().__init__()
        if size not in SIZES:
            raise ValueError(f'IFRNet: expected a size out of {tuple(SIZES)}, got {size!r}')
        if working_size is not None and any(side % _STRIDE for side in working_size):
            raise ValueError(
                f'IFRNet: expected a working_size of multiples of {_STRIDE}, got {working_size}'
            )
        self.working_size = working_size
        widths, kernel = SIZES[size]
        side = widths[0]
        self.encoder = _Encoder(widths, kernel)
        # the deepest decoder sees both maps and the time; the others also feature and flows
        self.decoder4 = _Decoder(2 * widths[3] + 1, 2 * widths[3], side, 4 + widths[2])
        self.decoder3 = _Decoder(3 * widths[2] + 4, 3 * widths[2], side, 4 + widths[1])
        self.decoder2 = _Decoder(3 * widths[1] + 4, 3 * widths[1], side, 4 + widths[0])
        self.decoder1 = _Decoder(3 * widths[0] + 4, 3 * widths[0], side, 8)
        if pretrained is not None:
            self._load(pretrained)

    def _load(self, file: str) -> None:
        checkpoint = load_checkpoint_file(file)
        state = checkpoint.get('state_dict', checkpoint)
        load_strictly(self, {key.removeprefix('net.'): v for key, v in state.items()}, file)

    def forward(self, first: Tensor, second: Tensor, time: float = 0.5) -> Interpolation:
        """What is between two frames.

        Args:
            first, second: (B, 3, H, W) RGB in [0, 1].
            time: 0 for the first frame's, 1 for the second's.

        Raises:
            ValueError: frames of different shapes.
        """
        return self.trace(first, second, time)[0]

    def trace(
        self, first: Tensor, second: Tensor, time: float = 0.5
    ) -> tuple[Interpolation, list[Tensor]]:
        """As `forward`, and the features of the time at 1/2, 1/4 and 1/8 of the working size."""
        if first.shape != second.shape:
            raise ValueError(
                f'IFRNet: expected two frames of one shape, got {tuple(first.shape)} and '
                f'{tuple(second.shape)}'
            )
        mean = common_mean(first, second)
        levels = list(zip(self.encode(first - mean), self.encode(second - mean), strict=True))
        deepest = levels[3][0]
        plane = torch.full_like(deepest[:, :1], time)
        out = self.decoder4(torch.cat([*levels[3], plane], 1))
        flows, features = out[:, :4], [out[:, 4:]]
        for decoder, pair in zip(
            (self.decoder3, self.decoder2, self.decoder1), reversed(levels[:3]), strict=True
        ):
            warped = [warp_by_flow(m, f) for m, f in zip(pair, flows.chunk(2, 1), strict=True)]
            out = decoder(torch.cat([features[-1], *warped, flows], 1))
            upsampled = F.interpolate(flows, scale_factor=2, mode='bilinear', align_corners=False)
            flows = out[:, :4] + 2 * upsampled
            features.append(out[:, 4:])
        size = first.shape[-2:]
        mask = features.pop()[:, :1].sigmoid()
        mask = F.interpolate(mask, size, mode='bilinear', align_corners=False)
        flow_first, flow_second = (resize_flow(flow, size) for flow in flows.chunk(2, 1))
        return Interpolation(first, second, flow_first, flow_second, mask), features[::-1]

    def encode(self, images: Tensor) -> list[Tensor]:
        """Images (B, 3, H, W) without their mean -> maps of the working size, finest first."""
        rows, columns = images.shape[-2:]
        size = self.working_size or tuple(
            -(-side // _STRIDE) * _STRIDE for side in (rows, columns / 2)
        )
        size = tuple(int(side) for side in size)
        return self.encoder(F.interpolate(images, size, mode='bilinear', align_corners=False))


def common_mean(first: Tensor, second: Tensor) -> Tensor:
    """(B, 1, 1, 1) mean over channels and pixels of both frames."""
    return torch.stack([first, second], 1).mean((1, 2, 3, 4), keepdim=True).squeeze(1)
