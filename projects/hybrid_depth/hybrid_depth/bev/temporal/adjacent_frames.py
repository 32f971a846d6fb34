"""Temporal fusion by concatenation of BEV maps (BEVDet4D)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from mmdet3d.registry import MODELS, TASK_UTILS
from mmdet3d.structures import Det3DDataSample
from torch import Tensor

from ...geometry import CameraRig, invert_rigid
from ...geometry.bev_warp import warp_bev
from ..parts import BEVSpace, Frame, Lift

ALIGNMENTS = ('lift', 'bev')


@TASK_UTILS.register_module()
class AdjacentFrames:
    """Concatenation of the BEV maps of key frames, aligned to the current ego frame.

    BEVDet4D (arXiv 2203.17054; docs/reference/bevdet.md, "Earlier key frames"). Earlier frames are
    lifted without gradients and without refinement, with the depth net's calibration input of the
    key frame (the rig is the same). Depth is supervised on the key frame only.

    Args:
        space: discretisation of the detector.
        num_adj: number of earlier key frames; the BEV encoder gets (1 + num_adj) maps.
        align: ``lift`` transforms earlier points to the key frame before pooling; ``bev`` warps the
            pooled maps by the planar motion.
        warp_align: see ``warp_bev``.
        pre_process_net: ``CustomResNet`` config of one stage, applied to the map of every frame, or
            None.

    Attributes:
        enabled: False replaces earlier maps by zeros; see ``SequentialControlHook``.

    Raises:
        ValueError: unknown ``align``.
    """

    def __init__(
        self,
        space: BEVSpace,
        num_adj: int = 1,
        align: str = 'lift',
        warp_align: str = 'centres',
        pre_process_net: dict | None = None,
    ):
        if align not in ALIGNMENTS:
            raise ValueError(f'AdjacentFrames: align must be one of {ALIGNMENTS}, got {align!r}')
        self.grid, self.num_adj = space.grid, num_adj
        self.align, self.warp_align = align, warp_align
        self.enabled, self.modules = True, {}
        if pre_process_net is not None:
            self.modules['pre_process_net'] = MODELS.build(pre_process_net)

    def __call__(
        self, bev: Tensor, inputs: dict, samples: Sequence[Det3DDataSample] | None, lift: Lift
    ) -> Tensor:
        """Concatenate the maps of earlier frames.

        Args:
            bev: (B, Z * C, Y, X) BEV map of the key frame.
            inputs: output of ``BEVDataPreprocessor``, with ``adjacent`` frames, latest first.
            samples: data samples of the batch.
            lift: lift of the detector.

        Returns:
            (B, (1 + num_adj) * Z * C, Y, X), the key frame's map first.

        Raises:
            ValueError: the inputs have fewer earlier frames than ``num_adj``.
        """
        frames = inputs.get('adjacent', ())
        if len(frames) < self.num_adj:
            raise ValueError(
                f'AdjacentFrames: expected {self.num_adj} earlier frames in the inputs, got '
                f'{len(frames)}; set num_adj={self.num_adj} of NuScenesBEVDataset'
            )
        key = Frame.of(inputs, samples)
        maps = [self._pre_process(bev)]
        with torch.no_grad():
            for place, frame in enumerate(frames[: self.num_adj], start=1):
                if self.enabled:
                    names = [f'{name}/{place}' for name in key.names]
                    maps.append(self._aligned(frame['imgs'], frame['rig'], key.rig, names, lift))
                else:
                    maps.append(torch.zeros_like(maps[0]))
        return torch.cat(maps, 1)

    def _pre_process(self, bev: Tensor) -> Tensor:
        net = self.modules.get('pre_process_net')
        return bev if net is None else net(bev)[0]

    def _aligned(
        self, images: Tensor, rig: CameraRig, key: CameraRig, names: Sequence[str], lift: Lift
    ) -> Tensor:
        """BEV map (B, Z * C, Y, X) of an earlier frame, in the ego frame of the key frame."""
        calibration = replace(key, cam2img=rig.cam2img, img_aug=rig.img_aug)
        adj2key = invert_rigid(key.ego2global) @ rig.ego2global
        if self.align == 'lift':
            in_key = replace(calibration, cam2ego=adj2key.unsqueeze(1) @ rig.cam2ego)
            return self._pre_process(lift(Frame(images, calibration, names, in_key))[0])
        bev = self._pre_process(lift(Frame(images, calibration, names, calibration))[0])
        key2adj = key.bda @ invert_rigid(adj2key) @ torch.linalg.inv(key.bda)
        return warp_bev(bev, key2adj, self.grid, self.warp_align)
