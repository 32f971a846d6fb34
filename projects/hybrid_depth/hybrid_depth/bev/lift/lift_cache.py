"""Cache of lifted frames, for training with a frozen image backbone and depth net."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ...geometry import CameraRig, VoxelGrid
from ...geometry.bev_warp import warp_bev
from ..depth_nets.base import DepthDistribution
from ..parts import Frame, Lift


class LiftCache:
    """Lift with a cache of BEV map, depth logits and context of every frame.

    Includes the image backbone, the most expensive part. Only for a frozen lift and pipelines
    without random image augmentation. BEV augmentation warps the cached map (`warp_bev`).

    Args:
        lift: ``BEVDet.lift``.
        grid: its grid.
    """

    def __init__(self, lift: Lift, grid: VoxelGrid):
        self.lift, self.grid = lift, grid
        self._kept: dict[str, tuple[CameraRig, tuple[Tensor, Tensor, Tensor]]] = {}

    @torch.no_grad()
    def __call__(self, frame: Frame) -> tuple[Tensor, DepthDistribution]:
        """Images of one frame -> BEV map (B, Z * C, Y, X) and depth distribution without ``aux``.

        Raises:
            ValueError: the frame has no names, or its calibration or image augmentation has
                changed.
        """
        if len(frame.names) < len(frame.images) or None in frame.names:
            raise ValueError(
                f'LiftCache: expected the token of each of {len(frame.images)} samples, got '
                f'{list(frame.names)}; set keep_lifts=False of DepthFirstHook'
            )
        bda = frame.rig.bda
        frame = _without_bda(frame)
        rig = frame.rig if frame.lift_rig is None else frame.lift_rig
        if not all(name in self._kept for name in frame.names):
            bev, distribution = self.lift(frame)
            # split and concatenated along dim 0 only, which keeps `bev` channels-last
            maps = (bev, distribution.logits, distribution.context)
            per_sample = zip(*(x.chunk(len(frame.names)) for x in maps), strict=True)
            for index, (name, lifted) in enumerate(zip(frame.names, per_sample, strict=True)):
                self._kept[name] = (rig.sample(index), lifted)
        for index, name in enumerate(frame.names):
            if not self._kept[name][0].same_geometry(rig.sample(index)):
                raise ValueError(
                    f'LiftCache: expected frame {name} with the augmentation of its first lift, '
                    'got another; turn random augmentation off, or keep_lifts of DepthFirstHook'
                )
        kept = zip(*(self._kept[name][1] for name in frame.names), strict=True)
        bev, logits, context = map(torch.cat, kept)
        if not torch.equal(bda, frame.rig.bda):
            bev = warp_bev(bev, torch.linalg.inv(bda), self.grid)
            bev = bev.contiguous(memory_format=torch.channels_last)
        return bev, DepthDistribution(logits, context)


def _without_bda(frame: Frame) -> Frame:
    def bare(rig: CameraRig | None) -> CameraRig | None:
        return rig and replace(rig, bda=torch.eye(4).to(rig.bda).expand_as(rig.bda))

    return replace(frame, rig=bare(frame.rig), lift_rig=bare(frame.lift_rig))
