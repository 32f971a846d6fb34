"""Cache of lifted frames, for training with a frozen image backbone and depth net."""

from __future__ import annotations

import torch
from torch import Tensor

from ...geometry import CameraRig
from ..depth_nets.base import DepthDistribution
from ..parts import Frame, Lift


class LiftCache:
    """Lift with a cache of BEV map, depth logits and context of every frame.

    Includes the image backbone, the most expensive part. Only for a frozen lift and pipelines
    without random augmentation.

    Args:
        lift: ``BEVDet.lift``.
    """

    def __init__(self, lift: Lift):
        self.lift = lift
        self._kept: dict[str, tuple[CameraRig, tuple[Tensor, Tensor, Tensor]]] = {}

    @torch.no_grad()
    def __call__(self, frame: Frame) -> tuple[Tensor, DepthDistribution]:
        """Images of one frame -> BEV map (B, Z * C, Y, X) and depth distribution without ``aux``.

        Raises:
            ValueError: the frame has no names, or its calibration or augmentation has changed.
        """
        if len(frame.names) < len(frame.images) or None in frame.names:
            raise ValueError(
                f'LiftCache: expected the token of each of {len(frame.images)} samples, got '
                f'{list(frame.names)}; set keep_lifts=False of DepthFirstHook'
            )
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
        return bev, DepthDistribution(logits, context)
