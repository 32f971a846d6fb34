"""Metric pseudo depth from a self-supervised model, with or without LiDAR."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..depth.estimators import DepthEstimator
from ..depth.estimators.calibrated import CalibratedDepth
from ..errors import ConfigError
from ..geometry import CameraRig, cell_pixels, ground_plane_depth, invert_rigid
from ..geometry.depth_consistency import depth_consistency_mask
from ..geometry.depth_scale import DepthScale, GroundPlaneScale, lidar_scale, motion_scale

SCALES = ('ground', 'lidar', 'motion', 'none')


class PseudoDepth:
    """Metric pseudo depth of a depth model, 0 where it is unreliable.

    Self-supervised depth is known up to a factor that depends on the image and, for different focal
    lengths, on the camera. It is estimated per image. Pixels are kept if the disparity of the
    mirrored image, mirrored back, is about the same.

    Args:
        model: depth estimator, which is frozen; its input includes the intrinsics.
        scale: ``ground`` (`GroundPlaneScale`: needs only calibration), ``lidar`` (median, needs
            `gt_depth`), ``motion`` (measured / predicted translation, needs one `adjacent` frame
            and a pose net trained on steps of half a second, the interval of key frames), ``none``
            (the model is trained in metres, or calibrated).
        mirror_tolerance: largest difference of both disparities, relative to their mean.
        max_depth: largest depth of pixels kept, metres.
        neighbour_tolerance: largest relative difference from the depth that the previous key frame
            predicts for the same point (`depth_consistency_mask`; needs one `adjacent` frame).
            Moving objects are inconsistent unless their distance is constant. A frame used as its
            own predecessor, as at the start of a scene, is fully consistent. None: no comparison.

    Raises:
        ConfigError: unknown scale, or another than ``none`` for a calibrated model, or ``motion``
            with a model without a pose net, or with one whose unit is the mean depth.
    """

    def __init__(
        self,
        model: DepthEstimator,
        scale: str = 'ground',
        mirror_tolerance: float = 0.1,
        max_depth: float = 80.0,
        neighbour_tolerance: float | None = None,
    ) -> None:
        if scale not in SCALES:
            raise ConfigError(f'PseudoDepth: expected a scale among {SCALES}, got {scale!r}')
        if scale != 'none' and isinstance(model, CalibratedDepth):
            raise ConfigError(
                f"PseudoDepth: expected scale 'none' for a calibrated model, got {scale!r}, which "
                'would replace the calibration; use the checkpoint without it'
            )
        pose_net = getattr(model, 'pose_net', None)
        if scale == 'motion' and (pose_net is None or pose_net.depth_scaled):
            raise ConfigError(
                f'PseudoDepth: expected a pose net in the unit of depth for scale {scale!r}, got '
                + ('none' if pose_net is None else f'{type(pose_net).__name__}, in mean depths')
                + "; use another scale ('none' for a model trained with motion in metres)"
            )
        self.model = model.eval().requires_grad_(False)
        self.scale, self.mirror_tolerance, self.max_depth = scale, mirror_tolerance, max_depth
        self.neighbour_tolerance = neighbour_tolerance
        self.ground = GroundPlaneScale()

    @property
    def num_adj(self) -> int:
        """Number of earlier key frames that a batch must contain."""
        return int(self.scale == 'motion' or self.neighbour_tolerance is not None)

    @torch.no_grad()
    def __call__(self, inputs: dict) -> tuple[Tensor, DepthScale]:
        """Pseudo depth of a batch of `BEVDataPreprocessor`.

        Scale ``ground`` uses only the pixels of `ground_mask` (B, N, H, W), bool, if the batch has
        one.

        Returns:
            (B, N, h, w) float32 metres at the model's training size (or the image size), 0 where
            unknown; and the scale of the B * N images.

        Raises:
            KeyError: the batch lacks an input of the scale or of the comparison.
            ConfigError: the rig's cameras are not those that the model is calibrated for.
        """
        self.model.to(inputs['imgs'].device)
        if isinstance(self.model, CalibratedDepth):
            rig = inputs['rig']
            focals = _intrinsics(inputs, (1, 1))[:, 0, 0]  # image widths
            heights = rig.cam2ego[..., 2, 3].flatten()
            self.model.require_heights(heights.tolist(), focals.tolist())
        depth = self._unscaled(inputs)
        scale = self._scale(depth, inputs)
        metres = scale.apply(depth)
        metres = metres.masked_fill(metres > self.max_depth, 0)
        if self.neighbour_tolerance is not None:
            metres = metres.masked_fill(~self._consistent_with_previous(metres, inputs), 0)
        return metres.unflatten(0, inputs['imgs'].shape[:2]).float(), scale

    def _unscaled(self, frame: dict) -> Tensor:
        """(B * N, h, w) depth of a frame up to its scale; 0 where inconsistent with the mirrored
        image and outside `visible` (B, N, h, w), if the frame has it."""
        images = self._resize(frame['imgs'])
        cameras = _intrinsics(frame, tuple(images.shape[-2:]))
        mirror = cameras.new_tensor([[-1, 0, images.shape[-1] - 1], [0, 1, 0], [0, 0, 1]])
        mirrored_cameras = mirror @ cameras @ torch.diag(cameras.new_tensor([-1, 1, 1]))
        disparity = self._disparity(images, cameras)
        mirrored = self._disparity(images.flip(-1), mirrored_cameras).flip(-1)
        mean = (disparity + mirrored) / 2
        agree = (disparity - mirrored).abs() <= self.mirror_tolerance * mean
        if 'visible' in frame:
            agree &= frame['visible'].flatten(0, 1)
        return (1 / mean).masked_fill(~agree, 0)

    def _disparity(self, images: Tensor, cameras: Tensor) -> Tensor:
        return self.model.predict({0: images}, cameras).to('disparity').values.squeeze(1)

    def _consistent_with_previous(self, metres: Tensor, inputs: dict) -> Tensor:
        """(B * N, h, w) bool, false where inconsistent with the previous key frame."""
        before, size = self._before(inputs, 'a neighbour_tolerance'), tuple(metres.shape[-2:])
        return depth_consistency_mask(
            metres,
            self._unscaled(before),
            _intrinsics(inputs, size),
            _intrinsics(before, size),
            invert_rigid(_before2now(before['rig'], inputs['rig'])),
            self.neighbour_tolerance,
        )

    def _before(self, inputs: dict, user: str) -> dict:
        """The previous key frame."""
        self._require(inputs, 'adjacent', user, 'num_adj=1 to the data set')
        return inputs['adjacent'][0]

    @staticmethod
    def _require(inputs: dict, name: str, user: str, remedy: str) -> None:
        if not len(inputs.get(name, ())):
            raise KeyError(
                f'PseudoDepth: {user} expected {name} in the inputs, got {sorted(inputs)}; add '
                f"{remedy}, or use scale 'ground' without neighbours"
            )

    def _resize(self, images: Tensor) -> Tensor:
        """(B, N, 3, H, W) -> (B * N, 3, h, w)."""
        images = images.flatten(0, 1)
        size = getattr(self.model, 'image_size', None)
        if size is None or tuple(images.shape[-2:]) == tuple(size):
            return images
        return F.interpolate(images, tuple(size), mode='bilinear', antialias=True)

    def _scale(self, depth: Tensor, inputs: dict) -> DepthScale:
        images, rig = inputs['imgs'], inputs['rig']
        size = tuple(depth.shape[-2:])
        if self.scale == 'none':
            scale = torch.ones(len(depth), dtype=torch.float64, device=depth.device)
            return DepthScale(scale, torch.zeros_like(scale), torch.ones_like(scale))
        if self.scale == 'ground':
            pixels = cell_pixels(size, tuple(images.shape[-2:])).to(rig.cam2img)
            plane = ground_plane_depth(pixels, rig, self.ground.max_depth)
            mask = inputs.get('ground_mask')
            if mask is not None:
                mask = F.interpolate(mask.float(), size).flatten(0, 1) > 0
            return self.ground(depth, plane.flatten(0, 1), mask)
        if self.scale == 'lidar':
            self._require(inputs, 'gt_depth', "scale 'lidar'", 'LoadLidarDepth to the pipeline')
            truth = inputs['gt_depth'].flatten(0, 1)
            return lidar_scale(F.interpolate(depth[None], truth.shape[-2:])[0], truth)
        before = self._before(inputs, "scale 'motion'")
        predicted = self.model.relative_pose(self._resize(before['imgs']), self._resize(images))
        return motion_scale(predicted[:, :3, 3], _before2now(before['rig'], rig)[:, :3, 3])


def default_scale(model: DepthEstimator) -> str:
    """Scale of `PseudoDepth` that fits a model: that of its calibration, else of the ground."""
    return 'none' if isinstance(model, CalibratedDepth) else 'ground'


def _before2now(before: CameraRig, now: CameraRig) -> Tensor:
    """(B * N, 4, 4) earlier camera's frame to the current one's."""
    before2world, now2world = (rig.ego2global.unsqueeze(1) @ rig.cam2ego for rig in (before, now))
    return (invert_rigid(now2world) @ before2world).flatten(0, 1)


def _intrinsics(frame: dict, size: tuple[int, int]) -> Tensor:
    """(B * N, 3, 3) intrinsics of a frame's augmented images at another size (h, w), pixels."""
    rig, (height, width) = frame['rig'], frame['imgs'].shape[-2:]
    zoom = rig.cam2img.new_tensor([size[1] / width, size[0] / height, 1])
    resize = torch.diag(zoom)
    resize[:2, 2] = (zoom[:2] - 1) / 2  # pixel centres have integer coordinates
    return (resize @ rig.img_aug @ rig.cam2img).flatten(0, 1)
