"""FB-BEV on mmdet3d 1.4."""

from __future__ import annotations

import torch
from mmdet3d.registry import MODELS
from mmdet3d.structures import Det3DDataSample
from torch import Tensor

from ...geometry import CameraRig
from ..depth_nets.base import DepthDistribution
from ..refine.foreground_proposal import footprints
from ..temporal.history_fusion import Moment
from .bevdet import BEVDet


@MODELS.register_module()
class FBBEV(BEVDet):
    """BEVDet with depth-aware backward projection from BEV cells to the images.

    FB-BEV (ICCV 2023, arXiv 2308.02236), written from the paper's description
    (docs/reference/fb_bev.md, "Method"): lift and splat, propose foreground cells, refine those by
    depth-aware attention, add, fuse with earlier frames. Depth nets, supervision, trunk and head
    are those of ``BEVDet``. Voxels (several cells in z) are averaged over z to form the queries,
    and the result is added to all voxels of a column.

    Args:
        backward_projection: ``BackwardProjection`` config without ``grid``, ``depth_bins``,
            ``image_size`` and ``embed_dims``, which are the view transformer's.
        foreground_proposal: ``ForegroundProposal`` config without ``in_channels``; None refines all
            cells.
        history_fusion: ``HistoryFusion`` config without ``grid`` and ``in_channels``; None for
            single frames. ``SequentialControlHook`` can switch it on late.
        **kwargs: of ``BEVDet``.
    """

    _looks_back = True

    def __init__(
        self,
        *args,
        img_view_transformer: dict,
        backward_projection: dict,
        foreground_proposal: dict | None = None,
        history_fusion: dict | None = None,
        **kwargs,
    ):
        super().__init__(*args, img_view_transformer=img_view_transformer, **kwargs)
        grid = img_view_transformer['grid']
        channels = img_view_transformer['context_channels']
        self.backward_projection = MODELS.build(
            dict(
                backward_projection,
                grid=grid,
                depth_bins=img_view_transformer['depth_bins'],
                image_size=img_view_transformer['image_size'],
                embed_dims=channels,
            )
        )
        self.foreground_proposal = foreground_proposal and MODELS.build(
            dict(foreground_proposal, in_channels=channels)
        )
        self.history_fusion = history_fusion and MODELS.build(
            dict(history_fusion, grid=grid, in_channels=channels)
        )
        self.with_history = True

    def refine(
        self,
        bev: Tensor,
        distribution: DepthDistribution,
        rig: CameraRig,
        truth: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Second look at the pictures.

        Args:
            bev: (B, Z * C, Y, X) of the forward projection.
            distribution: its depth and context.
            rig: B x N cameras.
            truth: (B, Y, X) bool in training, cells under true boxes.

        Returns:
            (B, Z * C, Y, X), and the logits (B, 1, Y, X) of the proposal if there is one.
        """
        shape = (rig.batch_size, rig.num_cams)
        context = distribution.context.unflatten(0, shape)
        prob = distribution.prob.unflatten(0, shape)
        volume = self._volume(bev)
        flat = volume.mean(2)
        logits = kept = None
        if self.foreground_proposal is not None:
            logits = self.foreground_proposal(flat)
            kept = self.foreground_proposal.kept(logits, truth)
        refined = self.backward_projection(flat, context, prob, rig, kept)
        return _fold(volume + refined.unsqueeze(2)), logits

    def remember(
        self, bev: Tensor, rig: CameraRig, samples: list[Det3DDataSample] | None
    ) -> Tensor:
        """Join a refined map (B, Z * C, Y, X) with those of the frames before, or with copies of
        itself while ``with_history`` is off.

        Raises:
            ValueError: see ``HistoryFusion``; or the samples are of no sequence.
        """
        if self.history_fusion is None:
            return bev
        infos = [sample.metainfo for sample in samples or ()]
        if len(infos) < len(bev) or any('sequence' not in info for info in infos):
            raise ValueError(
                'FBBEV: expected samples of sequences, for its history; got some without. Set '
                'sequence_length of NuScenesBEVDataset'
            )
        moments = [Moment(*info['sequence'], info['timestamp']) for info in infos]
        alone = not self.with_history
        return _fold(self.history_fusion(self._volume(bev), moments, rig, alone))

    def extract_feat(
        self, batch_inputs_dict: dict, batch_data_samples: list[Det3DDataSample] | None = None
    ) -> tuple[Tensor, DepthDistribution]:
        """Inputs of ``BEVDataPreprocessor`` -> (B, C, Y, X) encoded BEV map and depth."""
        bev, distribution = self.lift(batch_inputs_dict)
        rig = batch_inputs_dict['rig']
        bev, _ = self.refine(bev, distribution, rig)
        return self.encode(self.remember(bev, rig, batch_data_samples)), distribution

    def bev_loss(
        self,
        bev: Tensor,
        distribution: DepthDistribution,
        inputs: dict,
        samples: list[Det3DDataSample],
    ) -> dict[str, Tensor]:
        """Losses of head and foreground proposal."""
        truth = None
        if self.foreground_proposal is not None:
            grid = self.img_view_transformer.grid
            boxes = [sample.gt_instances_3d.bboxes_3d for sample in samples]
            truth = torch.stack([footprints(one, grid) for one in boxes])
        bev, logits = self.refine(bev, distribution, inputs['rig'], truth)
        losses = super().bev_loss(
            self.remember(bev, inputs['rig'], samples), distribution, inputs, samples
        )
        if logits is not None:
            losses.update(self.foreground_proposal.loss(logits, truth))
        return losses

    def _volume(self, bev: Tensor) -> Tensor:
        """(B, Z * C, Y, X) -> (B, C, Z, Y, X)."""
        levels = self.img_view_transformer.grid.size[2]
        return bev.unflatten(1, (levels, -1)).transpose(1, 2)


def _fold(volume: Tensor) -> Tensor:
    """(B, C, Z, Y, X) -> (B, Z * C, Y, X)."""
    return volume.transpose(1, 2).flatten(1, 2)
