"""Depth models as functions of images and cameras, for the exporter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..depth.encoders.prior import DepthPrior, PriorEncoder
from ..depth.estimators import DepthEstimator
from ..depth.estimators.base import full_precision
from ..depth.estimators.embodiment import VisionLanguageEmbodiment
from ..depth.estimators.manydepth import ManyDepth
from ..depth.estimators.monodepth2 import Monodepth2
from ..geometry.camera_view import CameraView
from ..geometry.cost_volume import depth_planes
from .graph_sweep import plane_sweep
from .onnx_depth import DepthSpec, frame_name, transform_name


class GivenPriors(DepthPrior):
    """Prior whose depths are inputs of the graph, one a size of the encoder's maps."""

    depths: dict[tuple[int, int], Tensor]

    def forward(self, view: CameraView, size: tuple[int, int]) -> Tensor:
        return self.depths[tuple(int(side) for side in size)]


class DepthGraph(nn.Module):
    """Depth model of some frames.

    Args:
        model: depth model in evaluation mode.
        spec: of the file.
    """

    def __init__(self, model: DepthEstimator, spec: DepthSpec):
        super().__init__()
        self.model, self.size, self.frames = model, tuple(spec.image_size), tuple(spec.frames)
        self.prior_sizes = [tuple(size) for size in spec.prior.sizes] if spec.prior else []
        self.fuses_prior = isinstance(model, VisionLanguageEmbodiment) and bool(spec.prior)
        self.matches = isinstance(model, ManyDepth) and len(self.frames) > 1
        if self.matches:
            matching = model.matching
            self.planes = depth_planes(matching.depth_range, matching.num_bins, matching.spacing)

    def input_names(self) -> list[str]:
        """Names of the inputs, in the order of ``forward``."""
        names = [frame_name(frame) for frame in self.frames]
        if self.matches or isinstance(self.model, Monodepth2) and self.model.canonical_focal:
            names.append('cam2img')
        if self.matches:
            names.append('img2cam')
            if self.model.teacher.pose_net is None:
                names += [transform_name(frame) for frame in self.frames[1:]]
        return names + [f'prior_depth_{number}' for number in range(len(self.prior_sizes))]

    def forward(self, *inputs: Tensor) -> Tensor:
        """Inputs of ``input_names`` -> depth map (B, 1, H, W)."""
        given = dict(zip(self.input_names(), inputs, strict=True))
        frames = {frame: given[frame_name(frame)] for frame in self.frames}
        with self._priors(given):
            if self.matches:
                return self._match(frames, given)
            view = None
            if 'cam2img' in given or self.prior_sizes:
                cam2img = given.get('cam2img', torch.eye(3).expand(frames[0].shape[0], 3, 3))
                physics = given['prior_depth_0'].unsqueeze(1) if self.fuses_prior else None
                view = CameraView(cam2img, self.size, physics_depth=physics)
            return self.model.predict(frames, view).values

    def _match(self, frames: dict[int, Tensor], given: dict[str, Tensor]) -> Tensor:
        """``ManyDepth.predict`` with all lookup frames; those that are all zero are left out."""
        model = self.model
        chain = model.encoder.chain()
        maps = chain.begin(frames[0], model.matched)
        lookups = [frames[frame] for frame in self.frames[1:]]
        others = [chain.begin(image, model.matched)[-1] for image in lookups]
        poses = self._poses(frames, given)
        cameras = given['cam2img'], given['img2cam']
        volume = plane_sweep(
            maps[-1], others, poses, self._present(frames), cameras, self.size, self.planes
        )
        maps += chain.finish(model.matching(maps[-1], volume), model.matched)
        features = model.encoder.gather(frames[0], maps)
        features = model.encoder.add_prior(features, CameraView(given['cam2img'], self.size))
        output = model.decoder(features, self.size)[0]
        return model.scale(full_precision(output))

    def _present(self, frames: dict[int, Tensor]) -> list[Tensor]:
        """(B,) bool by lookup: neither it nor one between it and frame 0 is all zero."""
        present = {}
        for frame in self.frames[1:]:
            there = (frames[frame] != 0).flatten(1).any(1)
            between = present.get(frame + 1 if frame < 0 else frame - 1)
            present[frame] = there if between is None else there & between
        return list(present.values())

    def _poses(self, frames: dict[int, Tensor], given: dict[str, Tensor]) -> list[Tensor]:
        """(B, 4, 4) frame 0's camera to each lookup's, as ``ManyDepth`` chains them."""
        if self.model.teacher.pose_net is None:
            return [given[transform_name(frame)] for frame in self.frames[1:]]
        poses = {0: None}
        for frame in self.frames[1:]:
            if frame < 0:
                before = frame + 1
                motion = self.model.relative_pose(frames[frame], frames[before])
                pose = _invert_rigid(motion)
            else:
                before = frame - 1
                pose = self.model.relative_pose(frames[before], frames[frame])
            poses[frame] = pose if poses[before] is None else pose @ poses[before]
        return [poses[frame] for frame in self.frames[1:]]

    @contextmanager
    def _priors(self, given: dict[str, Tensor]) -> Iterator[None]:
        """The prior replaced by inputs, if the encoder has one."""
        encoder = self.model.encoder
        if not isinstance(encoder, PriorEncoder):
            yield
            return
        kept, priors = encoder.depth_prior, GivenPriors()
        priors.depths = {
            size: given[f'prior_depth_{number}'] for number, size in enumerate(self.prior_sizes)
        }
        encoder.depth_prior = priors
        try:
            yield
        finally:
            encoder.depth_prior = kept


def _invert_rigid(transform: Tensor) -> Tensor:
    """Inverse (B, 4, 4); as ``invert_rigid``, which writes in place."""
    rotation = transform[:, :3, :3].transpose(1, 2)
    upper = torch.cat((rotation, -rotation @ transform[:, :3, 3:]), 2)
    return torch.cat((upper, transform[:, 3:]), 1)
