"""A detector as a function of images and geometry, for the exporter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from mmdet3d.models.detectors import Base3DDetector
from torch import Tensor, nn

from ..bev.depth_nets.base import DepthDistribution
from ..bev.depth_nets.camera_aware import CameraAwareDepthNet
from ..bev.refine.backward_projection import SeenPillars
from ..depth.encoders.prior import DepthPrior, PriorEncoder
from ..geometry import CameraRig
from ..geometry.camera_view import CameraView
from ..ops import PoolingPlan
from .box_decoding import BOXES
from .detector_spec import DetectorSpec
from .earlier_frames import KEPT
from .graph_decoding import Decoding

RIG = ('cam2img', 'cam2ego', 'img_aug', 'bda')


class GivenPrior(DepthPrior):
    """Prior whose depth is an input of the graph."""

    depth: Tensor

    def forward(self, view: CameraView, size: tuple[int, int]) -> Tensor:
        return self.depth.flatten(0, 1)


class DetectorGraph(nn.Module):
    """BEVDet with its geometry as inputs and the head's maps as outputs.

    Args:
        model: detector in evaluation mode.
        spec: of the file.
    """

    def __init__(self, model: Base3DDetector, spec: DetectorSpec):
        super().__init__()
        self.decoding = None
        if spec.head != 'maps':
            self.decoding = nn.ModuleList(Decoding(x, spec.head == 'nms') for x in spec.tasks)
        self.model = model
        self.view_transformer = model.img_view_transformer
        self.depth_net = self.view_transformer.depth_net
        self.prior_encoder = prior_encoder(model)
        self.refine, self.temporal = model.refine, model.temporal
        self.kept = () if spec.earlier is None else KEPT[spec.earlier.align]
        self.align = None if spec.earlier is None else spec.earlier.align

    def input_names(self) -> list[str]:
        """Names of the inputs, in the order of ``forward``."""
        names = ['images', 'ranks']
        if isinstance(self.depth_net, CameraAwareDepthNet):
            names += RIG
        if self.prior_encoder is not None:
            names.append('prior_depth')
        if self.refine is not None:
            names += ['pillar_cell', 'pillar_visible', 'pillar_uv', 'pillar_cameras']
            if self.model.backward_projection.consistency != 'none':
                names += ['bin_index', 'bin_weight']
        if self.temporal is not None:
            names += [f'earlier_{name}' for name in self.kept]
            names.append('earlier_ranks' if self.align == 'lift' else 'earlier_grid')
        if self.align == 'recurrent':
            names.append('earlier_starts')
        return names

    def free_axes(self) -> dict[str, dict[int, str]]:
        """Axes beside the batch whose sizes depend on the calibration, by input."""
        return {
            name: {2: 'pillars'}
            for name in self.input_names()
            if name.startswith(('pillar_', 'bin_')) and name != 'pillar_cameras'
        }

    def output_names(self) -> list[str]:
        """Names of the outputs, in the order of ``forward``."""
        tasks = range(len(self.model.pts_bbox_head.task_heads))
        return [
            'depth',
            *self.kept,
            *(f'{name}_{task}' for task in tasks for name in self._maps(task)),
        ]

    def _maps(self, task: int) -> list[str]:
        if self.decoding is not None:
            return list(BOXES)
        return list(self.model.pts_bbox_head.task_heads[task].heads)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Inputs of ``input_names`` -> outputs of ``output_names``."""
        given = dict(zip(self.input_names(), inputs, strict=True))
        images = given['images']
        features = self.model.extract_img_feat(images).flatten(0, 1)
        with self._prior(given.get('prior_depth')):
            distribution = self.view_transformer.depth(features, images, self._rig(given), None)
        bev = self._splat(distribution, given['ranks'])
        if self.refine is not None:
            bev = self._refine(bev, distribution, given)
        shape = (-1, images.shape[1])
        kept = dict(
            logits=distribution.logits.unflatten(0, shape),
            context=distribution.context.unflatten(0, shape),
            bev=bev,
        )
        if self.align == 'recurrent':
            bev, kept['history'], kept['ages'] = self._recurrent(bev, given)
        elif self.align is not None:
            kept['bev'] = self.temporal._pre_process(bev)
            bev = torch.cat((kept['bev'], *self._earlier(given)), 1)
        depth = self.view_transformer.bins.expectation(distribution.prob).unflatten(0, shape)
        tasks = [maps for (maps,) in self.model.pts_bbox_head([self.model.encode(bev)])]
        if self.decoding is not None:
            tasks = [
                dict(zip(BOXES, decoding(maps), strict=True))
                for decoding, maps in zip(self.decoding, tasks, strict=True)
            ]
        found = [maps[name] for task, maps in enumerate(tasks) for name in self._maps(task)]
        return depth, *(kept[name] for name in self.kept), *found

    def _splat(self, distribution: DepthDistribution, ranks: Tensor) -> Tensor:
        plan = PoolingPlan(ranks, self.view_transformer.grid)
        return self.view_transformer.splat(distribution, plan)

    def _refine(
        self, bev: Tensor, distribution: DepthDistribution, given: dict[str, Tensor]
    ) -> Tensor:
        """``DepthAwareRefinement`` with all BEV cells as queries."""
        projection, space = self.model.backward_projection, self.refine.space
        voxels = space.to_voxels(bev)
        plane = voxels.mean(2)
        cells = torch.arange(space.grid.size[0] * space.grid.size[1]).expand(bev.shape[0], -1)
        if 'foreground_proposal' in self.refine.modules:
            proposal = self.model.foreground_proposal
            kept = proposal.kept(proposal(plane)).flatten(1)
        else:
            kept = torch.ones_like(cells, dtype=torch.bool)
        context = distribution.context.unflatten(0, (-1, given['images'].shape[1]))
        if 'bin_index' in given:
            prob = distribution.prob.flatten()
            weight = (prob[given['bin_index']] * given['bin_weight']).sum(-1)
        else:
            weight = torch.ones_like(given['pillar_uv'][..., 0])
        seen = SeenPillars(
            features=context.flatten(3).transpose(2, 3),
            size=tuple(int(size) for size in context.shape[-2:]),
            queries=given['pillar_cell'],
            visible=given['pillar_visible'],
            uv=given['pillar_uv'],
            weight=weight,
            cameras=given['pillar_cameras'],
        )
        refined = projection.refine(plane, cells, kept, seen)
        return space.to_bev(voxels + refined.unsqueeze(2))

    def _earlier(self, given: dict[str, Tensor]) -> list[Tensor]:
        """BEV maps of earlier frames in the current ego frame, latest first."""
        if self.align == 'bev':
            maps, grids = given['earlier_bev'].unbind(1), given['earlier_grid'].unbind(1)
            return [
                F.grid_sample(bev, grid, align_corners=True)
                for bev, grid in zip(maps, grids, strict=True)
            ]
        parts = (given[f'earlier_{name}'].unbind(1) for name in ('logits', 'context', 'ranks'))
        return [
            self.temporal._pre_process(
                self._splat(DepthDistribution(logits.flatten(0, 1), context.flatten(0, 1)), ranks)
            )
            for logits, context, ranks in zip(*parts, strict=True)
        ]

    def _recurrent(self, bev: Tensor, given: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """``History``: the fused map, and what the next frame needs."""
        ages = F.pad(given['earlier_ages'], (1, 0))
        starts = given['earlier_starts'].view(-1, 1, 1, 1, 1)
        maps = torch.where(starts, bev.unsqueeze(1), given['earlier_history'])
        count = int(maps.shape[1])
        warped = F.grid_sample(maps.flatten(1, 2), given['earlier_grid'], align_corners=True)
        frames = torch.cat((bev.unsqueeze(1), warped.unflatten(1, (count, -1))), 1)
        fusion = self.temporal.modules['history_fusion']
        fused = fusion.fuse(frames.unsqueeze(3), ages).squeeze(2)
        return fused, frames[:, :-1], ages[:, :-1]

    def _rig(self, given: dict[str, Tensor]) -> CameraRig | None:
        if RIG[0] not in given:
            return None
        return CameraRig(**{name: given[name] for name in RIG}, ego2global=given['bda'])

    @contextmanager
    def _prior(self, depth: Tensor | None) -> Iterator[None]:
        """The prior replaced by an input, if the depth net has one."""
        if self.prior_encoder is None:
            yield
            return
        kept, given = self.prior_encoder.depth_prior, GivenPrior()
        given.depth = depth
        self.prior_encoder.depth_prior = given
        try:
            yield
        finally:
            self.prior_encoder.depth_prior = kept


def prior_encoder(model: Base3DDetector) -> PriorEncoder | None:
    """Encoder of the depth net, if it has a prior."""
    encoder = getattr(model.img_view_transformer.depth_net, 'encoder', None)
    return encoder if isinstance(encoder, PriorEncoder) else None
