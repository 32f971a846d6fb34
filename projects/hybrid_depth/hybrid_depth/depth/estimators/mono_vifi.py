"""Self-supervised depth from one frame and from three, with interpolated frames between them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import torch
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from ...errors import ConfigError
from ...geometry.affine_view import AffineView
from ...geometry.camera_view import CameraView
from ...geometry.depth_map import DepthMap
from ...geometry.rigid import invert_rigid
from ...losses import ReprojectionObjective, scale_invariant_log
from ...losses.reprojection import ReprojectionTerms
from ..encoders import DepthFeatures
from ..encoders.flow_fusion import Alignment, FlowFusion
from ..interpolation import Interpolation
from ..pose.nets import Frame
from .base import (
    Cameras,
    DepthEstimator,
    as_view,
    check_cameras,
    check_frames,
    full_precision,
    hidden_by_vehicle,
)
from .feature_memory import FeatureMemory

_HALF = 0.5
_TARGETS = (0, -_HALF, _HALF)
SHARING = ('encoder', 'all', 'none')


@dataclass(frozen=True)
class MonoViFITerms:
    """Terms of a training step of `MonoViFI`, by time: 0, and -0.5 and 0.5 of interpolated frames.

    Attributes:
        single, multi: what `ReprojectionObjective` says about the depth of one and of three frames.
        affine: likewise of one frame's depth in the affine view; empty without one.
        agreement: (B,) log distances between the depths of one frame and of three.
        affine_agreement: (B, 2) those of the affine view's depth to that of three frames, and to
            that of one.
        between: interpolations of (-1, 0), (0, 1) and (-1, 1), by time.
        poses: (B, 4, 4) first frame's camera to the second's, by times.
    """

    single: dict[float, ReprojectionTerms]
    multi: dict[float, ReprojectionTerms]
    affine: dict[float, ReprojectionTerms]
    agreement: dict[float, Tensor]
    affine_agreement: dict[float, Tensor]
    between: dict[float, Interpolation]
    poses: dict[tuple[float, float], Tensor]


@MODELS.register_module()
class MonoViFI(DepthEstimator):
    """Self-supervised depth from one frame or three (Mono-ViFI, arXiv 2407.14126).

    A frozen frame interpolation gives images between the frames, which are further targets of the
    reprojection, and the flow along which the features of three frames are fused. Depth of one
    frame and of three are trained together and drawn to each other, as is that of an affine view if
    the data have one (`AffineFrames`); see docs/reference/mono_vifi.md, "Training step".

    Any depth encoder fits; the published ones are ResNet-18, `LiteMonoEncoder` and `DHRNetEncoder`.

    Args:
        encoder, decoder: see `DepthEstimator`.
        pose_net: pose net config, whose motion is in the unit of the depth and which sees images.
        interpolation: `IFRNet` config of the training.
        test_interpolation: of `predict`; None for the same.
        sharing: what the models of one frame and of three share: 'encoder', 'all' or 'none'. Parts
            that are not shared begin as copies.
        consistency_weight: of the agreement of depths.
        ssim_weight, smoothness_weight, automask, average, align_corners, tie_break: see
            `ReprojectionObjective`.
        **kwargs: passed to `DepthEstimator`.

    Raises:
        ConfigError: another `sharing`, or a pose net of another kind.
    """

    def __init__(
        self,
        encoder: dict,
        decoder: dict,
        pose_net: dict,
        interpolation: dict,
        test_interpolation: dict | None = None,
        sharing: str = 'encoder',
        consistency_weight: float = 0.2,
        ssim_weight: float = 0.85,
        smoothness_weight: float = 1e-3,
        automask: bool = True,
        average: bool = False,
        align_corners: bool = True,
        tie_break: float = 1e-5,
        **kwargs,
    ) -> None:
        super().__init__(encoder, decoder, **kwargs)
        if sharing not in SHARING:
            raise ConfigError(f'MonoViFI: expected a sharing out of {SHARING}, got {sharing!r}')
        self.encoder_multi = deepcopy(self.encoder) if sharing == 'none' else None
        self.decoder_multi = None if sharing == 'all' else deepcopy(self.decoder)
        self.fusion = FlowFusion(self.encoder.out_channels)
        self.pose_net = MODELS.build(pose_net)
        if self.pose_net.needs is not None or self.pose_net.depth_scaled:
            raise ConfigError(
                'MonoViFI: expected a pose net that sees images alone and whose motion is in the '
                f'unit of the depth, such as ResNetPoseNet, got {type(self.pose_net).__name__}'
            )
        self.interpolation = MODELS.build(interpolation).requires_grad_(False)
        self.test_interpolation = None
        if test_interpolation is not None:
            self.test_interpolation = MODELS.build(test_interpolation).requires_grad_(False)
        self.consistency_weight = consistency_weight
        self.objective = ReprojectionObjective(
            ssim_weight, smoothness_weight, automask, average, align_corners, tie_break
        )
        self.to(memory_format=self.memory_format)
        self.train()

    def train(self, mode: bool = True) -> MonoViFI:
        """Switch the mode; frame interpolation stays in eval mode."""
        super().train(mode)
        for part in (self.interpolation, self.test_interpolation):
            if part is not None:
                part.eval()
        return self

    @property
    def frames(self) -> tuple[int, ...]:
        """The frame and its neighbours."""
        return (0, -1, 1)

    def predict(
        self,
        frames: dict[int | str, Tensor],
        cameras: Cameras = None,
        memory: FeatureMemory | None = None,
    ) -> DepthMap:
        """Disparity of frame 0, see `DepthEstimator.predict`.

        Without both neighbours this is that of the model of one frame, with a warning.

        Raises:
            MissingInputError: frame 0 is missing.
            DepthDataError: neighbours of another size.
        """
        if not {-1, 0, 1} <= set(frames):
            if 0 in frames:
                warnings.warn(
                    'MonoViFI: single-frame mode, frames -1 and 1 were not both given',
                    stacklevel=2,
                )
            return super().predict(frames, cameras)
        check_frames('MonoViFI', frames, self.frames, str(self.frames))
        interpolation = self.test_interpolation or self.interpolation
        with torch.no_grad():
            between = interpolation(frames[-1], frames[1])
        views = _views_at(as_view(cameras, frames[0]), (-1, 0, 1))
        memory = FeatureMemory(0) if memory is None else memory
        features = {
            i: memory(frames[i], partial(self._encode_multi, view=views[i])) for i in (-1, 0, 1)
        }
        output = self._decode_multi(features, (-1, 0, 1), between)
        return DepthMap(self.scale(full_precision(output)), 'disparity')

    def predictions(self, inputs: dict) -> dict[str, DepthMap]:
        """Depth of the frames at hand, and that of the model of one frame."""
        single = self.disparity(inputs['images'][0], self.view(inputs))
        single = DepthMap(single, 'disparity')
        return {**super().predictions(inputs), 'single_frame': single}

    def relative_pose(self, first: Tensor, second: Tensor) -> Tensor:
        """See `Monodepth2.relative_pose`."""
        return full_precision(self.pose_net(Frame(first), Frame(second)).matrix())

    def loss(
        self, inputs: dict, data_samples: Sequence[BaseDataElement] | None = None
    ) -> dict[str, Tensor]:
        """Losses of both models and of the affine view.

        Returns:
            `loss_photometric` and `loss_smoothness`, sums over the targets, `loss_consistency`, and
            for the log `warped_share`, the fraction of pixels of frame 0 kept by the auto-mask.
        """
        terms = self.compare(inputs)
        view = _view(inputs)
        plain = [*terms.single.values(), *terms.multi.values()]
        photometric = [self.objective.photometric(found) for found in plain]
        photometric += [masked_photometric(found, view) for found in terms.affine.values()]
        smoothness = [found.smoothness for found in (*plain, *terms.affine.values())]
        agreement = [found.mean() for found in terms.agreement.values()]
        agreement += [found.mean(0).sum() for found in terms.affine_agreement.values()]
        return dict(
            loss_photometric=torch.stack(photometric).sum(),
            loss_smoothness=self.objective.smoothness_weight * torch.stack(smoothness).sum(),
            loss_consistency=self.consistency_weight * torch.stack(agreement).sum(),
            warped_share=terms.multi[0].warped_wins.float().mean(),
        )

    def compare(self, inputs: dict) -> MonoViFITerms:
        """Run the networks and compute all terms; see `Monodepth2.compare` for the inputs.

        Raises:
            MissingInputError: frames -1, 0 or 1, or intrinsics are missing.
            DepthDataError: frames of several sizes.
        """
        images, shown = inputs['images'], inputs.get('augmented', inputs['images'])
        check_frames('MonoViFI', images, self.frames, str(self.frames))
        check_cameras('MonoViFI', inputs.get('cam2img'))
        between = self._interpolate(images)
        plain = {**images, **{time: between[time].image for time in (-_HALF, _HALF)}}
        seen = {**plain, **{i: shown[i] for i in (-1, 0, 1)}}
        poses = {
            pair: self.relative_pose(*(seen[i] for i in pair)) for pair in ((-1, 0), (0, 1))
        } | {
            pair: self.relative_pose(*(plain[i] for i in pair))
            for pair in ((-1, -_HALF), (-_HALF, 1), (-1, _HALF), (_HALF, 1))
        }
        single, multi = self._outputs(seen, between, self.view(inputs))
        hidden = hidden_by_vehicle(inputs, (-1, 1))
        with torch.autocast(images[0].device.type, enabled=False):
            transforms = {
                time: torch.stack([invert_rigid(poses[-1, time]), poses[time, 1]])
                for time in _TARGETS
            }
            single = self._score(single, plain, transforms, inputs['cam2img'], hidden)
            multi = self._score(multi, plain, transforms, inputs['cam2img'], hidden)
            agreement = {
                time: scale_invariant_log(single[time].depth, multi[time].depth)
                for time in _TARGETS
            }
        affine, affine_agreement = {}, {}
        if 'affine' in inputs:
            affine = self._compare_affine(inputs, plain, transforms)
            affine_agreement = {
                time: self._affine_agreement(affine[time], multi[time], single[time], inputs)
                for time in _TARGETS
            }
        return MonoViFITerms(single, multi, affine, agreement, affine_agreement, between, poses)

    @torch.no_grad()
    def _interpolate(self, images: Mapping[int, Tensor]) -> dict[float, Interpolation]:
        return {
            0: self.interpolation(images[-1], images[1]),
            -_HALF: self.interpolation(images[-1], images[0]),
            _HALF: self.interpolation(images[0], images[1]),
        }

    def _outputs(
        self,
        seen: Mapping[float, Tensor],
        between: Mapping[float, Interpolation],
        view: CameraView | None,
    ) -> tuple[dict[float, Tensor], dict[float, Tensor]]:
        """Decoder output (B, 1, h, w) by time, of one frame and of three."""
        size = tuple(seen[0].shape[-2:])
        views = _views_at(view, (-1, 1, *_TARGETS))
        features = {time: self.encode(seen[time], views[time]) for time in _TARGETS}
        single = {time: self.decoder(found, size)[0] for time, found in features.items()}
        if self.encoder_multi is not None:
            features = {time: self._encode_multi(seen[time], views[time]) for time in _TARGETS}
        features |= {time: self._encode_multi(seen[time], views[time]) for time in (-1, 1)}
        triplets = {0: (-1, 0, 1), -_HALF: (-1, -_HALF, 0), _HALF: (0, _HALF, 1)}
        multi = {
            time: self._decode_multi(features, triplet, between[time])
            for time, triplet in triplets.items()
        }
        return single, multi

    def _encode_multi(self, images: Tensor, view: CameraView | None) -> DepthFeatures:
        encoder = self.encoder_multi or self.encoder
        features = encoder.tower(images.contiguous(memory_format=self.memory_format))
        return encoder.add_prior(features, view)

    def _decode_multi(
        self,
        features: Mapping[float, DepthFeatures],
        times: tuple[float, float, float],
        between: Interpolation,
    ) -> Tensor:
        alignment = Alignment(between.flow_first, between.flow_second, between.mask)
        fused = self.fusion(*(features[time] for time in times), alignment)
        return (self.decoder_multi or self.decoder)(fused, tuple(between.mask.shape[-2:]))[0]

    def _score(
        self,
        outputs: Mapping[float, Tensor],
        images: Mapping[float, Tensor],
        transforms: Mapping[float, Tensor],
        cam2img: Tensor,
        hidden: Tensor | None,
    ) -> dict[float, ReprojectionTerms]:
        """Compare the images at each time with frames -1 and 1, warped to it."""
        sources = torch.stack([images[-1], images[1]])
        scored = {}
        for time, output in outputs.items():
            output = full_precision(output)
            views = self.objective.views(images[time], sources, cam2img, hidden=hidden)
            depth = 1 / self.resized_disparity(output, views.size)
            scored[time] = self.objective(views, depth, transforms[time], output)
        return scored

    def _compare_affine(
        self, inputs: dict, plain: Mapping[float, Tensor], transforms: Mapping[float, Tensor]
    ) -> dict[float, ReprojectionTerms]:
        given, view = inputs['affine'], _view(inputs)
        made = {time: view.apply(plain[time]) for time in (-_HALF, _HALF)}
        images = {**given['images'], **made}
        seen = {**made, 0: given.get('augmented', given['images'])[0]}
        # a prior of the affine view would have to be turned with it
        camera = None if self.encoder.prior is None else self.view(inputs).of_unknown_scene()
        outputs = {time: self.decode(seen[time], camera)[0] for time in _TARGETS}
        hidden = hidden_by_vehicle(inputs, (-1, 1))
        if hidden is not None:
            hidden = torch.stack([view.apply(mask.float()) > 0 for mask in hidden])
        with torch.autocast(plain[0].device.type, enabled=False):
            turned = {time: view.transforms(known) for time, known in transforms.items()}
            return self._score(outputs, images, turned, inputs['cam2img'], hidden)

    @staticmethod
    def _affine_agreement(
        affine: ReprojectionTerms,
        multi: ReprojectionTerms,
        single: ReprojectionTerms,
        inputs: dict,
    ) -> Tensor:
        """(B, 2), see `MonoViFITerms`."""
        view = _view(inputs)
        depth = view.restore(affine.depth)
        return torch.stack(
            [scale_invariant_log(depth, x.depth, view.returned) for x in (multi, single)], 1
        )


def masked_photometric(terms: ReprojectionTerms, view: AffineView) -> Tensor:
    """Photometric loss of an affine view: mean over all pixels, 0 where it shows no image, or the
    vehicle of the camera."""
    counted = view.seen.squeeze(1)
    if terms.visible is not None:
        counted = counted & terms.visible
    return terms.smallest.where(counted, 0).mean()


def _views_at(view: CameraView | None, times: Sequence[float]) -> dict[float, CameraView | None]:
    """Camera of the frames by time; embodied depth is that of frame 0."""
    if view is None:
        return dict.fromkeys(times)
    return {time: view if time == 0 else view.of_another_frame() for time in times}


def _view(inputs: dict) -> AffineView | None:
    return AffineView(**inputs['affine']['view']) if 'affine' in inputs else None
