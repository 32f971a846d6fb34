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
class SequencePosition:
    """Position of a sample in its sequence.

    Args:
        sequence: name of the sequence.
        index: frame index, 0 for the first.
        time: seconds.
    """

    sequence: str
    index: int
    time: float


@dataclass(frozen=True)
class _SequenceHistory:
    """History of one sequence.

    Args:
        position: position of the last frame.
        maps: (T, C, Z, Y, X), latest first, in the augmented ego frame of the last frame.
        times: (T,) seconds, per map.
        aug2global: (4, 4) augmented ego frame of the last frame to the world.
    """

    position: SequencePosition
    maps: Tensor
    times: Tensor
    aug2global: Tensor


class HistoryFusion(BaseModule):
    """Fusion of a BEV map with the warped maps of earlier frames (FB-OCC, after SOLOFusion).

    Source: docs/reference/fb_bev.md, "History".

    Keeps ``num_frames`` maps per sequence, warped to the current ego frame at every frame, without
    gradients; the age in seconds is an additional channel of each map. The first frame's history
    consists of copies of it. Only histories of the sequences in the last batch are kept, which
    limits memory; training and testing have separate histories.

    Args:
        grid: voxel grid of the maps.
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
        self._histories: dict[bool, dict[str, _SequenceHistory]] = {
            True: {},
            False: {},
        }  # by `training`

    def forward(
        self,
        volume: Tensor,
        positions: Sequence[SequencePosition],
        rig: CameraRig,
        repeat_current: bool = False,
    ) -> Tensor:
        """Fuse a batch and add it to the history.

        Args:
            volume: (B, C, Z, Y, X) over ``grid``, in the augmented ego frame.
            positions: positions of the B samples, of B different sequences.
            rig: calibration, for ``bda`` and ``ego2global``.
            repeat_current: replace earlier frames by copies of the current one; their order is
                still checked.

        Returns:
            (B, C, Z, Y, X).

        Raises:
            ValueError: a sample is neither the first of its sequence nor the successor of its
                latest frame, or two samples are of one sequence.
        """
        if len({position.sequence for position in positions}) < len(positions):
            raise ValueError(
                f'HistoryFusion: expected {len(positions)} samples of different sequences in a '
                'batch, '
                f'got {[position.sequence for position in positions]}; set '
                "batch_sampler=dict(type='SequenceBatchSampler') in the data loader"
            )
        found = [self._history_of(position) for position in positions]
        aug2global = rig.ego2global @ torch.linalg.inv(rig.bda)
        histories = [
            _first(position, current, matrix, self.num_frames)
            if repeat_current or history is None
            else history
            for history, position, current, matrix in zip(
                found, positions, volume.detach(), aug2global, strict=True
            )
        ]
        to_history = (
            torch.linalg.inv(torch.stack([history.aug2global for history in histories]))
            @ aug2global
        )
        maps = torch.stack([history.maps for history in histories])  # (B, T, C, Z, Y, X)
        maps = warp_volume(maps.flatten(1, 2), to_history, self.grid, self.warp_align).view_as(maps)
        now = torch.tensor([[m.time] for m in positions], dtype=torch.float64, device=volume.device)
        times = torch.cat((now, torch.stack([history.times for history in histories])), 1)
        frames = torch.cat((volume.unsqueeze(1), maps), 1)
        fused = self.fuse(frames, (now - times).to(volume))
        self._histories[self.training] = {
            position.sequence: _SequenceHistory(position, kept, current, matrix)
            for position, kept, current, matrix in zip(
                positions, frames.detach()[:, :-1], times[:, :-1], aug2global, strict=True
            )
        }
        return fused

    def fuse(self, frames: Tensor, ages: Tensor) -> Tensor:
        """Fuse aligned maps (B, 1 + T, C, Z, Y, X), the current one first, with ages (B, 1 + T) in
        seconds -> (B, C, Z, Y, X)."""
        age = ages[..., None, None, None, None].expand(-1, -1, 1, *frames.shape[3:])
        timed = self.time_conv(torch.cat((frames, age), 2).flatten(0, 1))
        return self.cat_conv(timed.unflatten(0, (-1, 1 + self.num_frames)).flatten(1, 2))

    def _history_of(self, position: SequencePosition) -> _SequenceHistory | None:
        """History of a sample; None at the start of a sequence."""
        if position.index == 0:
            return None
        history = self._histories[self.training].get(position.sequence)
        if history is None or history.position.index + 1 != position.index:
            last = (
                'no earlier frame'
                if history is None
                else f'frame {history.position.index} before it'
            )
            raise ValueError(
                f'HistoryFusion: expected frame 0 of sequence {position.sequence} or the one after '
                f'its latest frame, got frame {position.index} and {last}; set '
                "batch_sampler=dict(type='SequenceBatchSampler') in the data loader"
            )
        return history


def _first(
    position: SequencePosition, current: Tensor, aug2global: Tensor, num_frames: int
) -> _SequenceHistory:
    """History of a first frame: copies of its map."""
    maps = current.expand(num_frames, *current.shape)
    times = torch.full(maps.shape[:1], position.time, dtype=torch.float64, device=current.device)
    return _SequenceHistory(position, maps, times, aug2global)


def _pointwise(in_channels: int, out_channels: int, norm_cfg: dict) -> nn.Sequential:
    norm = build_norm_layer(norm_cfg, out_channels)[1]
    return nn.Sequential(nn.Conv3d(in_channels, out_channels, 1), norm, nn.ReLU())
