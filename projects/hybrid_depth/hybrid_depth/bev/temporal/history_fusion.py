"""Fusion of a BEV map with the maps of earlier frames (FB-OCC, SOLOFusion)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...geometry import CameraRig, VoxelGrid
from ...geometry.bev_warp import warp_volume


@dataclass(frozen=True)
class Moment:
    """Position of a sample in its sequence.

    Args:
        sequence: name.
        index: of the frame, 0 for the first.
        time: seconds.
    """

    sequence: str
    index: int
    time: float


@dataclass(frozen=True)
class _Past:
    """History of one sequence.

    Args:
        moment: of the last frame.
        maps: (T, C, Z, Y, X), latest first, in the augmented ego frame of the last frame.
        times: (T,) seconds, per map.
        aug2global: (4, 4) augmented ego frame of the last frame to the world.
    """

    moment: Moment
    maps: Tensor
    times: Tensor
    aug2global: Tensor


class HistoryFusion(BaseModule):
    """Fusion of a BEV map with the warped maps of earlier frames (FB-OCC, after SOLOFusion).

    Source: docs/reference/fb_bev.md, "History".

    Keeps ``num_frames`` maps per sequence, warped to the current ego frame at every frame, without
    gradients; the age in seconds is one more channel of each map. The history of a first frame are
    copies of itself. Only histories of the sequences in the last batch are kept, so that memory
    does not grow; training and testing have separate histories.

    Args:
        grid: voxels of the maps.
        in_channels: channels C of a voxel.
        num_frames: earlier frames T (FB-OCC: 16).
        warp_align: see ``warp_volume``.
        norm_cfg: normalisation of the two 1x1x1 convolutions; ``SyncBN`` on many GPUs.
    """

    def __init__(
        self,
        grid: VoxelGrid,
        in_channels: int,
        num_frames: int,
        warp_align: str = 'centres',
        norm_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        norm_cfg = norm_cfg or dict(type='BN3d')
        self.grid, self.num_frames, self.warp_align = grid, num_frames, warp_align
        self.time_conv = _pointwise(in_channels + 1, in_channels, norm_cfg)
        self.cat_conv = _pointwise(in_channels * (1 + num_frames), in_channels, norm_cfg)
        self._pasts: dict[bool, dict[str, _Past]] = {True: {}, False: {}}  # by `training`

    def forward(
        self, volume: Tensor, moments: Sequence[Moment], rig: CameraRig, alone: bool = False
    ) -> Tensor:
        """Fuse one batch and add it to the history.

        Args:
            volume: (B, C, Z, Y, X) over ``grid``, in the augmented ego frame.
            moments: of the B samples, of B different sequences.
            rig: for ``bda`` and ``ego2global``.
            alone: copies of each sample in place of its earlier frames, whose order is still
                checked.

        Returns:
            (B, C, Z, Y, X).

        Raises:
            ValueError: a sample is neither the first of its sequence nor the successor of its
                latest frame, or two are of one sequence.
        """
        if len({moment.sequence for moment in moments}) < len(moments):
            raise ValueError(
                f'HistoryFusion: expected {len(moments)} samples of as many sequences in a batch, '
                f'got {[moment.sequence for moment in moments]}; set '
                "batch_sampler=dict(type='SequenceBatchSampler') in the data loader"
            )
        found = [self._past(moment) for moment in moments]
        aug2global = rig.ego2global @ torch.linalg.inv(rig.bda)
        pasts = [
            _first(moment, own, matrix, self.num_frames) if alone or past is None else past
            for past, moment, own, matrix in zip(
                found, moments, volume.detach(), aug2global, strict=True
            )
        ]
        to_past = torch.linalg.inv(torch.stack([past.aug2global for past in pasts])) @ aug2global
        maps = torch.stack([past.maps for past in pasts])  # (B, T, C, Z, Y, X)
        maps = warp_volume(maps.flatten(1, 2), to_past, self.grid, self.warp_align).view_as(maps)
        now = torch.tensor([[m.time] for m in moments], dtype=torch.float64, device=volume.device)
        times = torch.cat((now, torch.stack([past.times for past in pasts])), 1)
        frames = torch.cat((volume.unsqueeze(1), maps), 1)
        fused = self.fuse(frames, (now - times).to(volume))
        self._pasts[self.training] = {
            moment.sequence: _Past(moment, kept, own, matrix)
            for moment, kept, own, matrix in zip(
                moments, frames.detach()[:, :-1], times[:, :-1], aug2global, strict=True
            )
        }
        return fused

    def fuse(self, frames: Tensor, ages: Tensor) -> Tensor:
        """Aligned maps (B, 1 + T, C, Z, Y, X), the current one first, and their ages (B, 1 + T) in
        seconds -> (B, C, Z, Y, X)."""
        b, t, _, *size = frames.shape
        age = ages.view(b, t, 1, 1, 1, 1).expand(b, t, 1, *size)
        timed = self.time_conv(torch.cat((frames, age), 2).flatten(0, 1))
        return self.cat_conv(timed.unflatten(0, (b, t)).flatten(1, 2))

    def _past(self, moment: Moment) -> _Past | None:
        """History of a sample; None at the start of a sequence."""
        if moment.index == 0:
            return None
        past = self._pasts[self.training].get(moment.sequence)
        if past is None or past.moment.index + 1 != moment.index:
            last = 'no earlier frame' if past is None else f'frame {past.moment.index} before it'
            raise ValueError(
                f'HistoryFusion: expected frame 0 of sequence {moment.sequence} or the one after '
                f'its latest frame, got frame {moment.index} and {last}; set '
                "batch_sampler=dict(type='SequenceBatchSampler') in the data loader"
            )
        return past


def _first(moment: Moment, own: Tensor, aug2global: Tensor, num_frames: int) -> _Past:
    """History of a first frame: copies of itself."""
    maps = own.expand(num_frames, *own.shape)
    times = torch.full(maps.shape[:1], moment.time, dtype=torch.float64, device=own.device)
    return _Past(moment, maps, times, aug2global)


def _pointwise(in_channels: int, out_channels: int, norm_cfg: dict) -> nn.Sequential:
    norm = build_norm_layer(norm_cfg, out_channels)[1]
    return nn.Sequential(nn.Conv3d(in_channels, out_channels, 1), norm, nn.ReLU())
