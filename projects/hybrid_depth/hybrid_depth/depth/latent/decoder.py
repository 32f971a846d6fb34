"""Decoder of a latent per cell to metric depth, shared by text and image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn


def resize(x: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinear resize in which corners stay corners, as in WorDepth."""
    return F.interpolate(x, size=tuple(size), mode='bilinear', align_corners=True)


class MergeUp(nn.Module):
    """A coarse map, resized, merged with the next finer one.

    Two 3x3 convolutions with instance normalisation beside a 3x3 shortcut, which keeps the
    magnitudes that the normalisation removes. WorDepth's first convolution is grouped, with a
    shuffle of channels; ours is dense.

    Args:
        coarse, fine, out: channels.
    """

    def __init__(self, coarse: int, fine: int, out: int) -> None:
        super().__init__()
        joined = coarse + fine
        self.body = nn.Sequential(
            nn.Conv2d(joined, out, 3, padding=1),
            nn.InstanceNorm2d(out),
            nn.LeakyReLU(),
            nn.Conv2d(out, out, 3, padding=1),
            nn.InstanceNorm2d(out),
            nn.LeakyReLU(),
        )
        self.shortcut = nn.Conv2d(joined, out, 3, padding=1)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """(B, coarse, h, w) and (B, fine, H, W) -> (B, out, H, W)."""
        joined = torch.cat([fine, resize(coarse, fine.shape[-2:])], dim=1)
        return self.body(joined) + self.shortcut(joined)


class Refine(nn.Module):
    """A stream of features and one of depth, each from both: two 3x3 convolutions.

    Args:
        features, depth: channels of the streams.
    """

    def __init__(self, features: int, depth: int) -> None:
        super().__init__()
        self.features = _pair(features + depth, features)
        self.depth = _pair(features + depth, depth)

    def forward(self, features: Tensor, depth: Tensor) -> tuple[Tensor, Tensor]:
        """(B, features, h, w) and (B, depth, h, w) -> the same shapes."""
        joined = torch.cat([features, depth], dim=1)
        return self.features(joined), self.depth(joined)


def _pair(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.LeakyReLU(),
        nn.Conv2d(channels, out, 3, padding=1),
    )


@MODELS.register_module()
class LatentDepthDecoder(nn.Module):
    """Metric depth from a latent per cell and, with skips, the image's maps.

    WorDepth (docs/reference/wordepth.md, "WorDepth"): the coarsest map is merged into the
    next one (`trunk`), in whose cells the latent lives. From there to the finest map, streams of
    features and depth refine each other; the depth streams of all levels are resized and summed,
    depth = exp(convolution + log_depth).

    Args:
        in_channels: channels of the maps, finest first; of more than len(widths) + 1 maps the
            coarsest are used.
        widths: channels of the streams of features, coarsest first.
        latent: width of the latent, and of the streams of depth.
        log_depth: logarithm of the initial depth, metres; 2.54 is WorDepth's on KITTI.

    Raises:
        ValueError: too few maps.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        widths: Sequence[int] = (512, 256, 64),
        latent: int = 128,
        log_depth: float = 2.54,
    ) -> None:
        super().__init__()
        if len(in_channels) < len(widths) + 1:
            raise ValueError(
                f'LatentDepthDecoder: expected at least {len(widths) + 1} maps for widths '
                f'{tuple(widths)}, got {len(in_channels)} from the encoder; give one width less '
                'than the encoder has maps'
            )
        self.levels = len(widths) + 1
        self.channels = list(in_channels)[-self.levels :]
        coarsest, *finer = reversed(self.channels)
        before = [coarsest, *widths]
        self.merges = nn.ModuleList(
            MergeUp(above, fine, out)
            for above, fine, out in zip(before, finer, widths, strict=False)
        )
        self.refines = nn.ModuleList(Refine(width, latent) for width in widths)
        self.out = nn.Conv2d(latent, 1, 3, padding=1)
        self.widths, self.latent, self.log_depth = tuple(widths), latent, log_depth

    def trunk(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps of the encoder, finest first -> features (B, widths[0], h, w) of the cells."""
        return self.merges[0](maps[-1], maps[-2])

    def forward(
        self, latent: Tensor, trunk: Tensor, finer: Sequence[Tensor], size: Sequence[int]
    ) -> Tensor:
        """Depth (B, 1, *size), metres, > 0.

        Args:
            latent: (B, latent, h, w).
            trunk: (B, widths[0], h, w), see `trunk`; zeros without skips.
            finer: the maps finer than the trunk, finest first; zeros without skips.
            size: rows and columns of the image.
        """
        features, depth = self.refines[0](trunk, latent)
        total = resize(depth, size)
        steps = zip(self.merges[1:], self.refines[1:], reversed(finer), strict=True)
        for merge, refine, fine in steps:
            features = merge(features, fine)
            features, depth = refine(features, resize(depth, fine.shape[-2:]))
            total = total + resize(depth, size)
        logarithm = self.out(total)
        if logarithm.dtype in (torch.float16, torch.bfloat16):
            logarithm = logarithm.float()
        return (logarithm + self.log_depth).exp()
