"""Self-supervised depth from several frames."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from ...errors import ConfigError, MissingInputError
from ...geometry.camera_view import CameraView
from ...geometry.cost_volume import CostVolume
from ...geometry.depth_map import DepthMap
from ...geometry.projection import scale_intrinsics
from ...geometry.rigid import invert_rigid
from ...losses import ReprojectionObjective, depths_agree
from ...losses.reprojection import ReprojectionTerms, Views
from ..encoders import DepthFeatures
from ..encoders.cost_volume_fusion import CostVolumeFusion
from ..encoders.freezing import is_frozen
from .base import Cameras, DepthEstimator, as_view, check_cameras, check_frames, full_precision
from .feature_memory import FeatureMemory
from .monodepth2 import Estimate, Monodepth2
from .multi_frame_terms import MultiFrameTerms

_STATIC, _MISSING = 0.25, 0.5  # draws below: a standing camera, no lookup frame


@MODELS.register_module()
class ManyDepth(DepthEstimator):
    """Self-supervised depth from a frame and those before it (ManyDepth, arXiv 2104.14540).

    The encoder stops at one map, which is matched with the same map of the lookup frames over a
    sweep of depths (`CostVolumeFusion`); the fused map goes through the rest of the encoder. A
    single-frame teacher, trained beside it, gives the camera motion, the range of the sweep, and
    the depth where matching is wrong: moving objects, standing cameras
    (docs/reference/manydepth.md, "Losses"). With `HybridDepthEncoder` and `DPTDecoder` this is
    Hybrid-depth's ManyDepth (docs/reference/manydepth.md, "Hybrid-depth's student").

    Args:
        encoder: with a chain of convolutional stages (`DepthEncoder.chain`).
        decoder: see `DepthEstimator`; its scales must be among the teacher's.
        teacher: `Monodepth2` config with masked_mean=True. Its options of the loss hold for both.
        lookups: frames to match, each a neighbour of the one before or of frame 0: (-1,), (-1, -2),
            (-1, 1), or () for none.
        cost_volume: options of `CostVolumeFusion`.
        stride: of the map that is matched.
        augmentation: replace lookup frames in half of the training items: by the frame itself, or
            by none (docs/reference/manydepth.md, "Augmentation").
        motion_mask: leave pixels whose matched depth contradicts the teacher's to the teacher.
        **kwargs: passed to `DepthEstimator`.

    Raises:
        TypeError: an encoder without such a chain, or a teacher that is no `Monodepth2`.
        ConfigError: lookups that are no chain, or a teacher that cannot be one.
    """

    needs_cameras = True

    def __init__(
        self,
        encoder: dict,
        decoder: dict,
        teacher: dict,
        lookups: Sequence[int] = (-1,),
        cost_volume: dict | None = None,
        stride: int = 4,
        augmentation: bool = True,
        motion_mask: bool = True,
        **kwargs,
    ) -> None:
        super().__init__(encoder, decoder, **kwargs)
        self.lookups = tuple(lookups)
        chain = self.encoder.chain()
        self.matched = chain.index(stride)
        self.matching = CostVolumeFusion(chain.channels[self.matched], **(cost_volume or {}))
        self.teacher = MODELS.build(teacher)
        self._check_parts()
        objective = self.teacher.objective
        self.objective = ReprojectionObjective(
            objective.ssim_weight,
            objective.smoothness_weight,
            automask=False,
            average=objective.average,
            align_corners=objective.align_corners,
        )
        self.augmentation, self.motion_mask = augmentation, motion_mask
        self.to(memory_format=self.memory_format)

    def _check_parts(self) -> None:
        known = {0}
        for lookup in self.lookups:
            if lookup in known or not {lookup - 1, lookup + 1} & known:
                raise ConfigError(
                    'ManyDepth: expected lookups that are each a neighbour of frame 0 or of one '
                    f'before, such as (-1, -2), got {self.lookups}'
                )
            known.add(lookup)
        teacher = self.teacher
        if not isinstance(teacher, Monodepth2):
            raise TypeError(f'ManyDepth: expected a Monodepth2 as teacher, got {type(teacher)}')
        scaled = getattr(teacher.pose_net, 'depth_scaled', False)
        if not teacher.objective.masked_mean or not teacher.full_size or scaled:
            raise ConfigError(
                'ManyDepth: expected a teacher with masked_mean=True, full_size=True and a pose '
                'net whose motion is in the unit of the depth (no PoseCNN), got '
                f'masked_mean={teacher.objective.masked_mean}, full_size={teacher.full_size}, '
                f'{type(teacher.pose_net).__name__}'
            )
        if teacher.canonical_focal is not None or teacher.physics_weight:
            raise ConfigError(
                'ManyDepth: expected a teacher without canonical_focal and physics_weight'
            )
        strange = set(self.decoder.scales) - set(teacher.decoder.scales)
        if strange:
            raise ConfigError(
                f'ManyDepth: expected decoder scales among those of the teacher, '
                f'{tuple(teacher.decoder.scales)}, got {sorted(strange)} beside them'
            )

    def train(self, mode: bool = True) -> ManyDepth:
        """Switch the mode; a frozen teacher stays in eval mode."""
        super().train(mode)
        if is_frozen(self.teacher):
            self.teacher.eval()
        return self

    def freeze_teacher(self) -> None:
        """Stop the training of teacher and pose net, and with it the moves of the depth range."""
        self.teacher.requires_grad_(False).eval()

    def decode(self, images: Tensor, view: CameraView | None = None) -> dict[int, Tensor]:
        """Single-frame mode: as `DepthEstimator.decode`, with an empty cost volume."""
        return self._decode_matched(images, *self._no_lookups(images), view)[0]

    def predict(
        self,
        frames: dict[int | str, Tensor],
        cameras: Cameras = None,
        memory: FeatureMemory | None = None,
        transforms: dict[int, Tensor] | None = None,
    ) -> DepthMap:
        """Disparity of frame 0, see `DepthEstimator.predict`.

        Without any lookup frame this is the single-frame mode, with a warning; of several lookup
        frames those that are given are matched. Frames of zeros are none.

        Args:
            frames, cameras, memory: see `DepthEstimator.predict`.
            transforms: (B, 4, 4) by lookup frame, from frame 0's camera to its, where the teacher
                has no pose net.

        Raises:
            MissingInputError: frame 0, the `cameras` for lookup frames, or a transform that no pose
                net estimates, are missing.
            DepthDataError: lookup frames of another size, or a pose that is not finite.
        """
        used = self._usable(frames)
        if 0 not in frames or not used:
            if self.lookups and 0 in frames:
                warnings.warn(
                    f'ManyDepth: single-frame mode, no frame {self.lookups} was given',
                    stacklevel=2,
                )
            return super().predict(frames, cameras)
        self._check_inputs(frames, cameras, used)
        view = as_view(cameras, frames[0])
        poses = self._poses(frames, transforms or {}, used)
        lookups = torch.stack([frames[i] for i in used], 1)
        outputs, _ = self._decode_matched(frames[0], lookups, view.cam2img, poses, view, memory)
        return DepthMap(self.scale(full_precision(outputs[0])), 'disparity')

    def predictions(self, inputs: dict) -> dict[str, DepthMap]:
        """Depth of the frames at hand, and that of the single-frame mode."""
        view, images = self.view(inputs), inputs['images']
        single = DepthMap(self.disparity(images[0], view), 'disparity')
        known = inputs.get('transforms')
        return {'': self.predict(images, view, transforms=known), 'single_frame': single}

    @property
    def frames(self) -> tuple[int, ...]:
        """The frame and its lookup frames."""
        return (0, *self.lookups)

    def relative_pose(self, first: Tensor, second: Tensor) -> Tensor:
        """See `Monodepth2.relative_pose`."""
        return self.teacher.relative_pose(first, second)

    def loss(
        self, inputs: dict, data_samples: Sequence[BaseDataElement] | None = None
    ) -> dict[str, Tensor]:
        """Losses of both models; then the depth range follows the teacher.

        Returns:
            `loss_photometric`, `loss_smoothness` and `loss_consistency` of the multi-frame model,
            `teacher_loss_photometric` and `teacher_loss_smoothness` while it is trained; and for
            the log `matched_share`, the fraction of consistent pixels, and the ends of the depth
            range, `near` and `far`.
        """
        terms = self.compare(inputs)
        mask = self.trusted(terms)
        losses = self.objective.loss(terms.student, mask)
        del losses['warped_share']
        losses['loss_consistency'] = torch.stack(
            [self.consistency(terms, scale, mask) for scale in terms.student]
        ).mean()
        losses['matched_share'] = terms.consistent.float().mean()
        if not is_frozen(self.teacher):
            found = self.teacher.score(terms.teacher, terms.views)
            taught = self.teacher.objective.loss(found)
            losses |= {f'teacher_{name}': value for name, value in taught.items()}
            self.matching.track(terms.teacher[0].depth, self.min_depth)
        near, far = self.matching.depth_range.float()
        return dict(losses, near=near, far=far)

    def compare(self, inputs: dict) -> MultiFrameTerms:
        """Run both models; see `Monodepth2.compare` for inputs and errors."""
        images = inputs['images']
        shown = inputs.get('augmented', images)
        self._check_inputs(images, inputs.get('cam2img'), self.lookups)
        trained = torch.is_grad_enabled() and not is_frozen(self.teacher)
        with torch.set_grad_enabled(trained):
            teacher = self.teacher.estimate(inputs)
        known = dict(zip(self.teacher.sources, teacher[0].transforms.detach(), strict=True))
        poses = self._poses(shown, {**inputs.get('transforms', {}), **known}, self.lookups)
        lookups = [shown[i] for i in self.lookups]
        lookups = torch.stack(lookups, 1) if lookups else shown[0][:, None, ...][:, :0]
        lookups, poses, augmented = self._augment(lookups, poses, images[0])
        view = self.view(inputs)
        outputs, volume = self._decode_matched(shown[0], lookups, view.cam2img, poses, view)
        with torch.autocast(images[0].device.type, enabled=False):
            views = self.teacher.views(inputs)
            student = {
                scale: self._score(full_precision(output), teacher[scale], views)
                for scale, output in outputs.items()
            }
            consistent = self._consistent(volume, teacher[0].depth.detach())
        return MultiFrameTerms(student, teacher, views, volume, poses, consistent, augmented)

    def trusted(self, terms: MultiFrameTerms) -> Tensor:
        """(B, H, W) bool: pixels that train the multi-frame depth by their photometric error."""
        mask = terms.consistent if self.motion_mask else torch.ones_like(terms.consistent)
        return mask & ~terms.augmented.view(-1, 1, 1)

    @staticmethod
    def consistency(terms: MultiFrameTerms, scale: int, mask: Tensor) -> Tensor:
        """Mean distance to the teacher's depth outside the mask, over all pixels."""
        distance = (terms.student[scale].depth - terms.teacher[scale].depth.detach()).abs()
        return (distance.squeeze(1) * ~mask).mean()

    def _score(self, output: Tensor, teacher: Estimate, views: Views) -> ReprojectionTerms:
        depth = 1 / self.resized_disparity(output, views.size)
        return self.objective(views, depth, teacher.transforms.detach(), output)

    def _consistent(self, volume: CostVolume, reference: Tensor) -> Tensor:
        maps = torch.stack([volume.best_depth(), volume.confidence.float()], 1)
        depth, confidence = F.interpolate(maps, reference.shape[-2:], mode='nearest').unbind(1)
        return (confidence > 0) & depths_agree(depth, reference.squeeze(1))

    def _decode_matched(
        self,
        target: Tensor,
        lookups: Tensor,
        cam2img: Tensor,
        poses: Tensor,
        view: CameraView | None = None,
        memory: FeatureMemory | None = None,
    ) -> tuple[dict[int, Tensor], CostVolume]:
        """Images (B, 3, H, W) and (B, L, 3, H, W) -> the decoder's output, and the costs.

        `view` is the camera of the target, for an encoder with a prior.
        """
        features, volume = self._encode_matched(target, lookups, cam2img, poses, memory)
        features = self.encoder.add_prior(features, view)
        return self.decoder(features, tuple(target.shape[-2:])), volume

    def _encode_matched(
        self,
        target: Tensor,
        lookups: Tensor,
        cam2img: Tensor,
        poses: Tensor,
        memory: FeatureMemory | None = None,
    ) -> tuple[DepthFeatures, CostVolume]:
        chain = self.encoder.chain()

        def begin(images: Tensor) -> list[Tensor]:
            images = images.contiguous(memory_format=self.memory_format)
            return chain.begin(images, self.matched)

        if memory is not None:  # earlier frames first, so that those are kept that come again
            others = torch.stack([memory(lookup, begin)[-1] for lookup in lookups.unbind(1)], 1)
            maps = list(memory(target, begin))
        else:
            maps = begin(target)
            with torch.no_grad():
                others = maps[-1].new_zeros(len(target), 0, *maps[-1].shape[1:])
                if lookups.shape[1]:
                    others = begin(lookups.flatten(0, 1))[-1].unflatten(0, lookups.shape[:2])
        rows, columns = (
            small / large
            for small, large in zip(maps[-1].shape[-2:], target.shape[-2:], strict=True)
        )
        cam2img = scale_intrinsics(cam2img, columns, rows)
        volume = self.matching.sweep(maps[-1], others, cam2img, poses)
        maps += chain.finish(self.matching(maps[-1], volume), self.matched)
        return self.encoder.gather(target, maps), volume

    def _augment(
        self, lookups: Tensor, poses: Tensor, clean: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Lookup frames and poses, replaced in some items, and (B,) bool which they are."""
        if not (self.training and self.augmentation):
            return lookups, poses, torch.zeros(len(clean), dtype=torch.bool, device=clean.device)
        draws = self.draw(len(clean)).to(clean.device)
        static, missing = draws < _STATIC, (draws >= _STATIC) & (draws < _MISSING)
        lookups = torch.where(static.view(-1, 1, 1, 1, 1), clean.unsqueeze(1), lookups)
        return lookups, poses.masked_fill(missing.view(-1, 1, 1, 1), 0), static | missing

    @staticmethod
    def draw(count: int) -> Tensor:
        """(count,) uniform in [0, 1): what happens to the lookup frames of the items."""
        return torch.rand(count)

    def _no_lookups(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Lookups, cameras and poses of the single-frame mode."""
        count = len(images)
        return (
            images.new_zeros(count, 0, *images.shape[1:]),
            torch.eye(3, device=images.device).expand(count, 3, 3),
            torch.zeros(count, 0, 4, 4, device=images.device),
        )

    def _usable(self, frames: dict) -> tuple[int, ...]:
        """Lookup frames that are there, with those between them and frame 0."""
        used = []
        for lookup in self.lookups:
            between = lookup - 1 if lookup > 0 else lookup + 1
            if lookup in frames and between in (0, *used):
                used.append(lookup)
        return tuple(used)

    @torch.no_grad()
    def _poses(self, frames: dict, known: dict[int, Tensor], lookups: Sequence[int]) -> Tensor:
        """(B, L, 4, 4) frame 0's camera to each lookup's; zero for frames that are all zero.

        Source: docs/reference/manydepth.md, "Poses".
        """
        batch = len(frames[0])
        poses = {0: torch.eye(4, device=frames[0].device).expand(batch, 4, 4)}
        for lookup in lookups:
            if lookup in known:
                pose = known[lookup].float()
            elif self.teacher.pose_net is None:
                raise MissingInputError(
                    f'ManyDepth: expected the motion to frame {lookup} in `transforms`, as its '
                    f'teacher has no pose net, got that to frames {sorted(known)}; predict from '
                    'one frame alone (frames=(0,), --frames 0), or train with a pose net'
                )
            elif lookup < 0:
                motion = self.relative_pose(frames[lookup], frames[lookup + 1])
                pose = invert_rigid(full_precision(motion)) @ poses[lookup + 1]
            else:
                motion = self.relative_pose(frames[lookup - 1], frames[lookup])
                pose = full_precision(motion) @ poses[lookup - 1]
            empty = (frames[lookup] == 0).flatten(1).all(1)
            poses[lookup] = pose.masked_fill(empty.view(-1, 1, 1), 0)
        del poses[0]
        stacked = list(poses.values()) or [torch.zeros(batch, 4, 4, device=frames[0].device)]
        return torch.stack(stacked, 1)[:, : len(lookups)]

    @staticmethod
    def _check_inputs(frames: dict, cameras: Cameras, lookups: Sequence[int]) -> None:
        ids = "the model's lookups, the teacher's sources and 0"
        check_frames('ManyDepth', frames, (0, *lookups), ids)
        if lookups:
            check_cameras('ManyDepth', cameras)
