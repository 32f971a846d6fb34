"""A detector as a function of images and geometry, for the exporter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmdet3d.models.detectors import Base3DDetector
from torch import Tensor, nn

from ..bev.depth_nets.camera_aware import CameraAwareDepthNet
from ..depth.encoders.prior import DepthPrior, PriorEncoder
from ..geometry import CameraRig
from ..geometry.camera_view import CameraView
from ..ops import PoolingPlan

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
    """

    def __init__(self, model: Base3DDetector):
        super().__init__()
        self.model = model
        self.view_transformer = model.img_view_transformer
        self.depth_net = self.view_transformer.depth_net
        encoder = getattr(self.depth_net, 'encoder', None)
        self.prior_encoder = encoder if isinstance(encoder, PriorEncoder) else None

    def input_names(self) -> list[str]:
        """Names of the inputs, in the order of ``forward``."""
        names = ['images', 'ranks']
        if isinstance(self.depth_net, CameraAwareDepthNet):
            names += RIG
        if self.prior_encoder is not None:
            names.append('prior_depth')
        return names

    def output_names(self) -> list[str]:
        """Names of the outputs, in the order of ``forward``."""
        tasks = range(len(self.model.pts_bbox_head.task_heads))
        return ['depth', *(f'{name}_{task}' for task in tasks for name in self._maps(task))]

    def _maps(self, task: int) -> list[str]:
        return list(self.model.pts_bbox_head.task_heads[task].heads)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Inputs of ``input_names`` -> outputs of ``output_names``."""
        given = dict(zip(self.input_names(), inputs, strict=True))
        images = given['images']
        features = self.model.extract_img_feat(images).flatten(0, 1)
        with self._prior(given.get('prior_depth')):
            distribution = self.view_transformer.depth(features, images, self._rig(given), None)
        plan = PoolingPlan(given['ranks'], self.view_transformer.grid)
        bev = self.view_transformer.splat(distribution, plan)
        depth = self.view_transformer.bins.expectation(distribution.prob)
        tasks = self.model.pts_bbox_head([self.model.encode(bev)])
        maps = [maps[name] for task, (maps,) in enumerate(tasks) for name in self._maps(task)]
        return depth.unflatten(0, (-1, images.shape[1])), *maps

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
