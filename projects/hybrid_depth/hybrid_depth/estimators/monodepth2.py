"""Self-supervised depth from video and stereo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from ..encoders import DepthFeatures
from ..geometry.poses import Motion
from ..geometry.projection import scale_intrinsics
from ..geometry.rigid import invert_rigid
from ..losses import edge_aware_smoothness, normalize_by_mean, reprojection_minimum
from .base import DepthEstimator, full_precision
from .pose_nets import Frame
from .view_synthesis import ViewSynthesis

STEREO = 's'


@dataclass
class Comparison:
    """One scale's depth, put to the test of the sources.

    Attributes:
        output: (B, 1, h, w) of the decoder.
        depth: (B, 1, H, W) where the pictures are compared.
        transforms: (S, B, 4, 4) target camera's frame to each source camera's.
        grid: (S, B, H, W, 2) sampling points in the sources.
        warped: (S, B, 3, H, W) sources, warped.
        errors: (S, B, 1, H, W) photometric errors of `warped`.
        smallest: (B, H, W) see `reprojection_minimum`.
        warped_wins: (B, H, W) bool, likewise.
        smoothness: scalar, without its weight.
    """

    output: Tensor
    depth: Tensor
    transforms: Tensor
    grid: Tensor
    warped: Tensor
    errors: Tensor
    smallest: Tensor
    warped_wins: Tensor
    smoothness: Tensor


@MODELS.register_module()
class Monodepth2(DepthEstimator):
    """Self-supervised depth and camera motion from video (Monodepth2, arXiv 1806.01260).

    Loss of scale s: mean over pixels of the smallest photometric error, plus
    `smoothness_weight` / 2^s times the smoothness of the mean-normalised decoder output; mean over
    the decoder's scales (docs/reference/monodepth2.md, "Loss"). With `HybridDepthEncoder` and
    `DPTDecoder` this is Hybrid-depth's stage 2 (docs/reference/hybrid_depth.md,
    "Stage 2 training").

    Args:
        encoder, decoder: see `DepthEstimator`.
        pose_net: pose net config; None to take the motion from the data (`transforms`): stereo, or
            a vehicle that knows its own (`NuScenesVideoDataset(ego_motion=True)`). Depth is then in
            the unit of that motion (see `canonical_focal`).
        sources: frames to warp: -1, 1, ... in time, and 's' for the other camera.
        ssim_weight: 0.85; 0 for L1 alone.
        smoothness_weight: of scale 0, halved a scale.
        automask: let the sources as they are compete with the warped ones.
        average: average over sources instead of the minimum.
        full_size: compare at the picture's size; False compares each scale at its own (Monodepth).
        align_corners: see `geometry.projection.sample`.
        tie_break: see `reprojection_minimum`.
        canonical_focal: pixels; the network's depth is that of a camera of this focal length; what
            is compared, the true depth, is fx / canonical_focal times that. For cameras of several
            focal lengths in one training: the same picture means twice the distance at twice the
            focal length.
        **kwargs: passed to `DepthEstimator`.

    Raises:
        ValueError: no sources, or frame 0 among them.
    """

    def __init__(
        self,
        encoder: dict,
        decoder: dict,
        pose_net: dict | None,
        sources: Sequence[int | str] = (-1, 1),
        ssim_weight: float = 0.85,
        smoothness_weight: float = 1e-3,
        automask: bool = True,
        average: bool = False,
        full_size: bool = True,
        align_corners: bool = True,
        tie_break: float = 1e-5,
        canonical_focal: float | None = None,
        **kwargs,
    ) -> None:
        super().__init__(encoder, decoder, **kwargs)
        self.sources = tuple(sources)
        if not self.sources or 0 in self.sources:
            raise ValueError(
                f"Monodepth2: expected sources out of -1, 1, ... and 's', got {self.sources}"
            )
        self.pose_net = None if pose_net is None else MODELS.build(pose_net)
        self.ssim_weight, self.smoothness_weight = ssim_weight, smoothness_weight
        self.automask, self.average, self.full_size = automask, average, full_size
        self.align_corners, self.tie_break = align_corners, tie_break
        self.canonical_focal = canonical_focal
        self.to(memory_format=self.memory_format)

    def relative_pose(self, first: Tensor, second: Tensor) -> Tensor:
        """Motion between two pictures (B, 3, H, W), RGB in [0, 1], the earlier one first.

        Returns:
            (B, 4, 4) first camera's frame to the second's, in the unit of this model's depths
            (`PoseCNN`: in units of the mean depth).

        Raises:
            RuntimeError: the model has no pose net.
        """
        if self.pose_net is None:
            raise RuntimeError(
                'relative_pose expected a model with a pose_net; this one was given the motion, '
                'and its depth is in the unit of that motion'
            )
        return self.pose_net(self._frame(first), self._frame(second)).matrix()

    def loss(
        self, inputs: dict, data_samples: Sequence[BaseDataElement] | None = None
    ) -> dict[str, Tensor]:
        """`loss_photometric` and `loss_smoothness` (sum = the loss), and for the log
        `warped_share`, the share of pixels at the finest scale that the auto-mask leaves in."""
        comparisons = self.compare(inputs)
        photometric = [c.smallest.mean() for c in comparisons.values()]
        smoothness = [
            c.smoothness * (self.smoothness_weight / 2**scale) for scale, c in comparisons.items()
        ]
        finest = comparisons[min(comparisons)]
        return dict(
            loss_photometric=torch.stack(photometric).mean(),
            loss_smoothness=torch.stack(smoothness).mean(),
            warped_share=finest.warped_wins.to(finest.smallest.dtype).mean(),
        )

    def compare(self, inputs: dict) -> dict[int, Comparison]:
        """Run the networks and compare the sources with the target, at every scale.

        The networks see `augmented` pictures, the comparison is between the clean `images`, in
        float32 or better also under autocast.

        Raises:
            KeyError: a source, or a transform that is not learnt, is not in `inputs`.
            ValueError: a motion is both learnt and given.
        """
        images = inputs['images']
        self._check(inputs)
        shown = inputs.get('augmented', images)
        frames = self._frames(shown, (0, *self._learnt))
        outputs = self.decoder(frames[0].features, tuple(images[0].shape[-2:]))
        motions = {source: self._motion(frames, source) for source in self._learnt}
        with torch.autocast(images[0].device.type, enabled=False):
            outputs = {scale: full_precision(output) for scale, output in outputs.items()}
            views = self._views(inputs, outputs)
            return {
                scale: self._compare_scale(output, views[scale], motions, inputs)
                for scale, output in outputs.items()
            }

    @property
    def _learnt(self) -> list[int]:
        """Sources whose motion the pose net tells."""
        return [] if self.pose_net is None else [s for s in self.sources if s != STEREO]

    def _check(self, inputs: dict) -> None:
        frames, known = list(inputs['images']), list(inputs.get('transforms', {}))
        given = [source for source in self.sources if source not in self._learnt]
        if set(self.sources) - set(frames) or set(given) - set(known):
            raise KeyError(
                f'Monodepth2: expected frames {(0, *self.sources)} and transforms {given}, got '
                f"frames {frames} and transforms {known}; set the dataset's frame_ids to the "
                "model's sources and 0. Sources in time need a pose_net, or data that know their "
                'motion (NuScenesVideoDataset(ego_motion=True))'
            )
        if set(self._learnt) & set(known):
            raise ValueError(
                f'Monodepth2: expected the motion to sources {self._learnt} from the pose_net or '
                f'from the data, got both (transforms {known}); set pose_net=None, or '
                'ego_motion=False in the data set'
            )

    def _frames(self, images: dict, ids: Sequence[int]) -> dict[int, Frame]:
        """Frames by id: frame 0 with features, the others with what the pose net needs."""
        if self.pose_net is not None and self.pose_net.needs == 'features':
            features = _split(self.encode(torch.cat([images[i] for i in ids])), len(ids))
            return {i: Frame(images[i], own) for i, own in zip(ids, features, strict=True)}
        target = Frame(images[0], self.encode(images[0]))
        return {i: target if i == 0 else self._frame(images[i]) for i in ids}

    def _frame(self, image: Tensor) -> Frame:
        """A picture with what the pose net needs of it."""
        if self.pose_net.needs == 'features':
            return Frame(image, self.encode(image))
        if self.pose_net.needs == 'class_token':
            return Frame(image, DepthFeatures([], class_token=self.encoder.class_token(image)))
        return Frame(image)

    def _motion(self, frames: dict[int, Frame], source: int) -> Motion:
        earlier, later = sorted((0, source))
        motion = self.pose_net(frames[earlier], frames[later])
        return Motion(full_precision(motion.axis_angle), full_precision(motion.translation))

    def _views(self, inputs: dict, outputs: dict[int, Tensor]) -> dict[int, ViewSynthesis]:
        """What each scale is compared with; one and the same object at full size."""
        images, views = inputs['images'], {}
        sources = torch.stack([images[source] for source in self.sources])
        if self.full_size:
            view = self._view(images[0], sources, inputs['cam2img'])
            return dict.fromkeys(outputs, view)
        for scale, output in outputs.items():
            size = output.shape[-2:]
            cam2img = scale_intrinsics(
                inputs['cam2img'],
                size[1] / images[0].shape[-1],
                size[0] / images[0].shape[-2],
            )
            small = _shrink(sources.flatten(0, 1), size).unflatten(0, sources.shape[:2])
            views[scale] = self._view(_shrink(images[0], size), small, cam2img)
        return views

    def _view(self, target: Tensor, sources: Tensor, cam2img: Tensor) -> ViewSynthesis:
        return ViewSynthesis(target, sources, cam2img, self.ssim_weight, self.align_corners)

    def _compare_scale(
        self, output: Tensor, view: ViewSynthesis, motions: dict[int, Motion], inputs: dict
    ) -> Comparison:
        resized = F.interpolate(output, size=view.size, mode='bilinear', align_corners=False)
        disparity = self.scale(resized)
        if self.canonical_focal is not None:
            focal = inputs['cam2img'][:, 0, 0].view(-1, 1, 1, 1)
            disparity = disparity * (self.canonical_focal / focal)
        depth = 1 / disparity
        transforms = self._transforms(motions, disparity, inputs.get('transforms'))
        grid = view.grid(depth, transforms)
        warped = view.warp(grid)
        errors = view.error(warped)
        unwarped = view.unwarped_error if self.automask else None
        smallest, wins = reprojection_minimum(errors, unwarped, self.average, self.tie_break)
        picture = _shrink(inputs['images'][0], output.shape[-2:])
        smoothness = edge_aware_smoothness(normalize_by_mean(output), picture)
        return Comparison(
            output, depth, transforms, grid, warped, errors, smallest, wins, smoothness
        )

    def _transforms(
        self, motions: dict[int, Motion], disparity: Tensor, known: dict | None
    ) -> Tensor:
        """(S, B, 4, 4) target camera's frame to each source camera's."""
        transforms = []
        for source in self.sources:
            if source not in motions:
                transforms.append(known[source].to(disparity.dtype))
                continue
            motion = motions[source]
            if self.pose_net.depth_scaled:
                unit = disparity.mean((-2, -1))
                motion = Motion(motion.axis_angle, motion.translation * unit)
            matrix = motion.matrix()
            transforms.append(invert_rigid(matrix) if source < 0 else matrix)
        return torch.stack(transforms)


def _shrink(images: Tensor, size: Sequence[int]) -> Tensor:
    """Area average, (B, 3, H, W) -> (B, 3, *size)."""
    return images if images.shape[-2:] == size else F.adaptive_avg_pool2d(images, tuple(size))


def _split(features: DepthFeatures, count: int) -> list[DepthFeatures]:
    """Undo a concatenation of `count` batches."""
    maps = zip(*(feature.chunk(count) for feature in features.maps), strict=True)
    logits = tokens = [None] * count
    if features.text_logits is not None:
        logits = zip(*(level.chunk(count) for level in features.text_logits), strict=True)
    if features.class_token is not None:
        tokens = features.class_token.chunk(count)
    return [
        DepthFeatures(list(own), None if words is None else list(words), token)
        for own, words, token in zip(maps, logits, tokens, strict=True)
    ]
