"""Refinement of a BEV map by image features (FB-BEV)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet3d.registry import MODELS, TASK_UTILS
from mmdet3d.structures import BaseInstance3DBoxes
from torch import Tensor

from ...geometry import CameraRig
from ..depth_nets.base import DepthDistribution
from ..parts import BEVSpace
from .foreground_proposal import footprints


@TASK_UTILS.register_module()
class DepthAwareRefinement:
    """Refinement of a BEV map by backward projection, of foreground cells if there is a proposal.

    FB-BEV (ICCV 2023, arXiv 2308.02236), written from the paper's description
    (docs/reference/fb_bev.md, "Method"). Voxels (several cells in z) are averaged over z to form
    the queries, and the result is added to all voxels of a column.

    Args:
        space: discretisation of the detector.
        backward_projection: ``BackwardProjection`` config without ``space``.
        foreground_proposal: ``ForegroundProposal`` config without ``in_channels``; None refines all
            cells.
    """

    def __init__(
        self,
        space: BEVSpace,
        backward_projection: dict,
        foreground_proposal: dict | None = None,
    ):
        self.space = space
        self.modules = {'backward_projection': MODELS.build(dict(backward_projection, space=space))}
        if foreground_proposal is not None:
            cfg = dict(foreground_proposal, in_channels=space.channels)
            self.modules['foreground_proposal'] = MODELS.build(cfg)

    def __call__(
        self,
        bev: Tensor,
        distribution: DepthDistribution,
        rig: CameraRig,
        boxes: Sequence[BaseInstance3DBoxes] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Refine a BEV map.

        Args:
            bev: (B, Z * C, Y, X) BEV map of the lift.
            distribution: depth distribution and context of the lift.
            rig: B x N cameras.
            boxes: in training, ground-truth boxes of each sample in the augmented ego frame.

        Returns:
            (B, Z * C, Y, X), and in training the losses of the proposal.
        """
        shape = (rig.batch_size, rig.num_cams)
        context = distribution.context.unflatten(0, shape)
        prob = distribution.prob.unflatten(0, shape)
        voxels = self.space.to_voxels(bev)
        plane = voxels.mean(2)
        proposal, kept, losses = self.modules.get('foreground_proposal'), None, {}
        if proposal is not None:
            logits, truth = proposal(plane), None
            if boxes is not None:
                truth = torch.stack([footprints(each, self.space.grid) for each in boxes])
                losses = proposal.loss(logits, truth)
            kept = proposal.kept(logits, truth)
        refined = self.modules['backward_projection'](plane, context, prob, rig, kept)
        return self.space.to_bev(voxels + refined.unsqueeze(2)), losses
