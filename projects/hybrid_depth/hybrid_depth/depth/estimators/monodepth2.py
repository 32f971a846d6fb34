"""Monodepth2: self-supervised depth from video and stereo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from ...errors import ConfigError, MissingInputError
from ...geometry.camera_view import CameraView
from ...geometry.depth_map import DepthMap
from ...geometry.poses import Motion
from ...geometry.projection import focal_length
from ...geometry.rigid import invert_rigid
from ...losses import ReprojectionObjective, log_depth_error
from ...losses.reprojection import ReprojectionTerms, Views
from ..encoders import DepthFeatures
from ..pose.nets import Frame
from .base import (
    STEREO,
    Cameras,
    DepthEstimator,
    as_view,
    check_cameras,
    full_precision,
    hidden_by_vehicle,
)
from .feature_memory import FeatureMemory


@dataclass(frozen=True)
class Estimate:
    """What the networks of `Monodepth2` say about a scene at one scale.

    Attributes:
        output: (B, 1, h, w) of the decoder.
        depth: (B, 1, H, W) at the size that is compared.
        transforms: (S, B, 4, 4) target camera's frame to each source camera's.
    """

    output: Tensor
    depth: Tensor
    transforms: Tensor


@MODELS.register_module()
class Monodepth2(DepthEstimator):
    """Self-supervised depth and camera motion from video (Monodepth2, arXiv 1806.01260).

    The loss is `ReprojectionObjective`, averaged over the decoder's scales. With
    `HybridDepthEncoder` and `DPTDecoder` this is Hybrid-depth's stage 2
    (docs/reference/hybrid_depth.md, "Stage 2 training").

    Args:
        encoder, decoder: see `DepthEstimator`.
        pose_net: pose net config; None to use the motion in the data (`transforms`): stereo, or
            measured ego motion (`NuScenesVideoDataset(ego_motion=True)`). Depth is then in the unit
            of that motion (see `canonical_focal`).
        sources: source frames: -1, 1, ... in time, and 's' for the other camera of a stereo pair.
        ssim_weight, smoothness_weight, automask, average, align_corners, tie_break, masked_mean:
            see `ReprojectionObjective`.
        full_size: compute the error of every scale at the image size; False at the size of its map
            (Monodepth). Smaller images, which weight the smoothness in both cases, are
            area-averaged; as released: `PackFrames(pyramid=3)`.
        canonical_focal: focal length of the canonical camera, pixels. The network predicts depth
            for this camera; depth at focal length f is f / canonical_focal times that. For training
            on several focal lengths: equal images at twice the focal length have twice the depth.
        physics_weight: weight of the log distance to embodied depth (`physics_depth` in the
            inputs), which holds the metres of a first step supervised by it (`SupervisedDepth`);
            0: none. The photometric error does not know the scale, and without this weight a toy
            training lost it (docs/results.md, "Metres without LiDAR on toy video").
        **kwargs: passed to `DepthEstimator`.

    Raises:
        ConfigError: no sources, or frame 0 among them.
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
        masked_mean: bool = False,
        canonical_focal: float | None = None,
        physics_weight: float = 0.0,
        **kwargs,
    ) -> None:
        super().__init__(encoder, decoder, **kwargs)
        self.sources = tuple(sources)
        if not self.sources or 0 in self.sources:
            raise ConfigError(
                f"Monodepth2: expected sources out of -1, 1, ... and 's', got {self.sources}"
            )
        self.pose_net = None if pose_net is None else MODELS.build(pose_net)
        if self.encoder.prior is not None and getattr(self.pose_net, 'needs', None) == 'features':
            raise ValueError(
                'Monodepth2: expected a pose net with its own encoder (ResNetPoseNet, PoseCNN), as '
                f'the encoder has a prior, which other frames lack, got {type(self.pose_net)}'
            )
        self.objective = ReprojectionObjective(
            ssim_weight,
            smoothness_weight,
            automask,
            average,
            align_corners,
            tie_break,
            masked_mean,
        )
        self.full_size, self.canonical_focal = full_size, canonical_focal
        self.physics_weight = physics_weight
        self.to(memory_format=self.memory_format)

    def predict(
        self,
        frames: dict[int | str, Tensor],
        cameras: Cameras = None,
        memory: FeatureMemory | None = None,
    ) -> DepthMap:
        """Disparity of frame 0, see `DepthEstimator.predict`.

        With `canonical_focal`, for each camera's focal length; for the canonical camera if
        `cameras` is None.
        """
        prediction = super().predict(frames, cameras)
        view = as_view(cameras, frames[0])
        if view is None:
            return prediction
        return DepthMap(self._at_focal_length(prediction.values, view.cam2img), prediction.kind)

    def relative_pose(self, first: Tensor, second: Tensor) -> Tensor:
        """Camera motion between two images (B, 3, H, W), RGB in [0, 1], the earlier one first.

        Returns:
            (B, 4, 4) first camera's frame to the second's, in the unit of this model's depths
            (`PoseCNN`: in units of the mean depth).

        Raises:
            RuntimeError: the model has no pose net.
        """
        if self.pose_net is None:
            raise RuntimeError(
                'relative_pose: expected a model with a pose_net, got one trained with known '
                'motion, whose depth is in the unit of that motion; use the motion in the data'
            )
        return self.pose_net(self._frame(first), self._frame(second)).matrix()

    def loss(
        self, inputs: dict, data_samples: Sequence[BaseDataElement] | None = None
    ) -> dict[str, Tensor]:
        """`loss_photometric`, `loss_smoothness` and `warped_share`, see `ReprojectionObjective`,
        and `loss_physics` if it has a weight."""
        terms = self.compare(inputs)
        losses = self.objective.loss(terms)
        if self.physics_weight:
            losses['loss_physics'] = self.physics_weight * self._physics_error(terms, inputs)
        return losses

    def _physics_error(self, terms: dict[int, ReprojectionTerms], inputs: dict) -> Tensor:
        """Mean log distance to embodied depth over the scales."""
        if 'physics_depth' not in inputs:
            raise MissingInputError(
                f'Monodepth2: expected physics_depth (B, 1, H, W) in the inputs, got '
                f'{sorted(inputs)}; add LoadDepthMaps to the pipeline and depth_folders to the '
                'data set, or set physics_weight=0'
            )
        truth = inputs['physics_depth'].clamp(max=self.max_depth)
        errors = [
            log_depth_error(found.depth, F.interpolate(truth, found.depth.shape[-2:]))
            for found in terms.values()
        ]
        return torch.stack(errors).mean()

    def compare(self, inputs: dict) -> dict[int, ReprojectionTerms]:
        """Run the networks and compute the reprojection terms of every scale.

        The networks use the `augmented` images; the errors are between the clean `images`, in
        float32 or better also in autocast.

        Raises:
            MissingInputError: a source, a transform that the pose net does not predict, or
                intrinsics are missing.
            ConfigError: a motion is both predicted and given.
        """
        return self.score(self.estimate(inputs), self.views(inputs))

    def estimate(self, inputs: dict) -> dict[int, Estimate]:
        """Run the networks on the `augmented` images; by scale. Errors as of `compare`."""
        self._check(inputs)
        images = inputs.get('augmented', inputs['images'])
        frames = self._frames(images, (0, *self._estimated), self.view(inputs))
        size = tuple(images[0].shape[-2:])
        outputs = self.decoder(frames[0].features, size)
        motions = {source: self._motion(frames, source) for source in self._estimated}
        with torch.autocast(images[0].device.type, enabled=False):
            return {
                scale: self._estimate_scale(full_precision(output), size, motions, inputs)
                for scale, output in outputs.items()
            }

    def views(self, inputs: dict) -> Views:
        """The clean `images`, and those of their `pyramid` if given, to score estimates with.

        Pixels of `ego_mask` (B, 1, H, W), 1 = the vehicle of the camera, do not count.
        """
        scales = inputs['images'], *inputs.get('pyramid', {}).values()
        views = [(frames[0], torch.stack([frames[i] for i in self.sources])) for frames in scales]
        hidden = hidden_by_vehicle(inputs, self.sources)
        return self.objective.views(*views[0], inputs['cam2img'], views[1:], hidden)

    def score(self, estimates: dict[int, Estimate], views: Views) -> dict[int, ReprojectionTerms]:
        """Compare the sources, warped by the estimates, with the target; see `compare`."""
        with torch.autocast(views.target.device.type, enabled=False):
            return {
                scale: self.objective(
                    views if self.full_size else views.resized(found.output.shape[-2:]),
                    found.depth,
                    found.transforms,
                    found.output,
                )
                for scale, found in estimates.items()
            }

    def _estimate_scale(
        self, output: Tensor, size: tuple[int, int], motions: dict[int, Motion], inputs: dict
    ) -> Estimate:
        resized = self.resized_disparity(output, size if self.full_size else output.shape[-2:])
        disparity = self._at_focal_length(resized, inputs['cam2img'])
        transforms = self._transforms(motions, disparity, inputs.get('transforms'))
        return Estimate(output, 1 / disparity, transforms)

    def _at_focal_length(self, disparity: Tensor, cam2img: Tensor) -> Tensor:
        """Disparity (B, 1, H, W) of the canonical camera -> of cameras (B, 3, 3)."""
        if self.canonical_focal is None:
            return disparity
        ratio = self.canonical_focal / focal_length(cam2img)
        return disparity * ratio.view(-1, 1, 1, 1).to(disparity)

    @property
    def _estimated(self) -> list[int]:
        """Sources whose motion the pose net predicts."""
        return [] if self.pose_net is None else [s for s in self.sources if s != STEREO]

    def _check(self, inputs: dict) -> None:
        check_cameras('Monodepth2', inputs.get('cam2img'))
        frames, known = list(inputs['images']), list(inputs.get('transforms', {}))
        given = [source for source in self.sources if source not in self._estimated]
        if set(self.sources) - set(frames) or set(given) - set(known):
            raise MissingInputError(
                f'Monodepth2: expected frames {(0, *self.sources)} and transforms {given}, got '
                f"frames {frames} and transforms {known}; set the dataset's frame_ids to the "
                "model's sources and 0. Sources in time need a pose_net, or data with motion "
                '(ego_motion=True of NuScenesVideoDataset or InfoVideoDataset)'
            )
        if set(self._estimated) & set(known):
            raise ConfigError(
                f'Monodepth2: expected the motion to sources {self._estimated} from the pose_net '
                f'or from the data, got both (transforms {known}); set pose_net=None, or '
                'ego_motion=False in the data set'
            )

    def _frames(
        self, images: dict, ids: Sequence[int], view: CameraView | None
    ) -> dict[int, Frame]:
        """Frames by id: frame 0 with features, the others with the input of the pose net."""
        if self.pose_net is not None and self.pose_net.needs == 'features':
            features = _split(self.encode(torch.cat([images[i] for i in ids])), len(ids))
            return {i: Frame(images[i], maps) for i, maps in zip(ids, features, strict=True)}
        target = Frame(images[0], self.encode(images[0], view))
        return {i: target if i == 0 else self._frame(images[i]) for i in ids}

    def _frame(self, image: Tensor) -> Frame:
        """A frame with the input of the pose net."""
        if self.pose_net.needs == 'features':
            return Frame(image, self.encode(image))
        if self.pose_net.needs == 'class_token':
            return Frame(image, DepthFeatures([], class_token=self.encoder.class_token(image)))
        return Frame(image)

    def _motion(self, frames: dict[int, Frame], source: int) -> Motion:
        earlier, later = sorted((0, source))
        motion = self.pose_net(frames[earlier], frames[later])
        return Motion(full_precision(motion.axis_angle), full_precision(motion.translation))

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


def _split(features: DepthFeatures, count: int) -> list[DepthFeatures]:
    """Split the features of `count` concatenated batches."""
    maps = zip(*(feature.chunk(count) for feature in features.maps), strict=True)
    logits = tokens = [None] * count
    if features.text_logits is not None:
        logits = zip(*(level.chunk(count) for level in features.text_logits), strict=True)
    if features.class_token is not None:
        tokens = features.class_token.chunk(count)
    return [
        DepthFeatures(list(levels), None if words is None else list(words), token)
        for levels, words, token in zip(maps, logits, tokens, strict=True)
    ]
