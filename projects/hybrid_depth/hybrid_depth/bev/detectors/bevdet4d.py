"""BEVDet with the key frames before this one."""

from __future__ import annotations

from dataclasses import replace

import torch
from mmdet3d.registry import MODELS
from torch import Tensor

from ...geometry import CameraRig, invert_rigid
from ...geometry.bev_warp import warp_bev
from ..depth_nets.base import DepthDistribution
from .bevdet import BEVDet


@MODELS.register_module()
class BEVDet4D(BEVDet):
    """BEVDet on the concatenated BEV maps of several key frames, aligned to one ego frame.

    BEVDet4D (arXiv 2203.17054; docs/reference/bevdet.md, "Earlier key frames"). Earlier frames are
    lifted without gradients. Their depth net receives the calibration of the key frame, which is
    the same rig. Depth is supervised on the key frame. Names of parts equal those of official
    dev2/dev3 checkpoints.

    Args:
        num_adj: earlier key frames; the BEV trunk gets (1 + num_adj) maps.
        align: ``lift`` puts earlier points into the key frame before they are pooled; ``bev`` warps
            the pooled maps (cheaper to keep, a little worse, and flat).
        warp_align: see ``warp_bev``.
        pre_process_net: ``CustomResNet`` of one stage that every frame's map passes; None for none.
        **kwargs: of ``BEVDet``.

    Raises:
        ValueError: an unknown ``align``.
    """

    def __init__(
        self,
        *args,
        num_adj: int = 1,
        align: str = 'lift',
        warp_align: str = 'centres',
        pre_process_net: dict | None = None,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        if align not in ('lift', 'bev'):
            raise ValueError(f"BEVDet4D: align must be 'lift' or 'bev', got {align!r}")
        self.num_adj, self.align, self.warp_align = num_adj, align, warp_align
        self.with_history = True
        self.pre_process_net = pre_process_net and MODELS.build(pre_process_net)

    @property
    def with_history(self) -> bool:
        """Are earlier frames looked at? Switching forgets the BEV maps that ``freeze_depth`` keeps,
        which hold those frames or zeros."""
        return self._with_history

    @with_history.setter
    def with_history(self, on: bool) -> None:
        if self._lifts and on != self._with_history:
            self._lifts.clear()
        self._with_history = on

    def freeze_depth(self, keep_lifts: bool = False) -> None:
        """See ``BEVDet``.

        Raises:
            ValueError: there is a ``pre_process_net``, which would be frozen before it has learnt.
        """
        if self.pre_process_net is not None:
            raise ValueError(
                'BEVDet4D: expected pre_process_net=None with DepthFirstHook, which keeps the lift '
                'as it is from the first epoch of detection on'
            )
        super().freeze_depth(keep_lifts)

    def lift(self, batch_inputs_dict: dict) -> tuple[Tensor, DepthDistribution]:
        """Inputs of ``BEVDataPreprocessor``, ``adjacent`` frames included (latest first).

        Returns:
            (B, (1 + num_adj) * Z * C, Y, X) BEV maps, the key frame's first, zeros for earlier
            frames while ``with_history`` is off; and the key frame's depth.

        Raises:
            ValueError: the inputs hold fewer earlier frames than the model needs.
        """
        frames = batch_inputs_dict.get('adjacent', ())
        if len(frames) < self.num_adj:
            raise ValueError(
                f'BEVDet4D: expected {self.num_adj} earlier frames in the inputs, got '
                f'{len(frames)}; set num_adj={self.num_adj} of NuScenesBEVDataset'
            )
        bev, distribution = super().lift(batch_inputs_dict)
        maps = [self._pre_process(bev)]
        with torch.no_grad():
            for frame in frames[: self.num_adj]:
                if self.with_history:
                    maps.append(self._lift_adjacent(frame, batch_inputs_dict['rig']))
                else:
                    maps.append(torch.zeros_like(maps[0]))
        return torch.cat(maps, 1), distribution

    def _pre_process(self, bev: Tensor) -> Tensor:
        return bev if self.pre_process_net is None else self.pre_process_net(bev)[0]

    def _lift_adjacent(self, frame: dict, key: CameraRig) -> Tensor:
        """(B, Z * C, Y, X) BEV map of an earlier frame, in the key frame's ego frame."""
        images, rig = frame['imgs'], frame['rig']
        features = self.extract_img_feat(images)
        seen = replace(key, cam2img=rig.cam2img, img_aug=rig.img_aug)
        adj2key = invert_rigid(key.ego2global) @ rig.ego2global
        in_key = replace(seen, cam2ego=adj2key.unsqueeze(1) @ rig.cam2ego)
        lift_rig = in_key if self.align == 'lift' else seen
        bev, _ = self.img_view_transformer(features, images, seen, lift_rig)
        bev = self._pre_process(bev)
        if self.align == 'lift':
            return bev
        key2adj = key.bda @ invert_rigid(adj2key) @ torch.linalg.inv(key.bda)
        return warp_bev(bev, key2adj, self.img_view_transformer.grid, self.warp_align)
