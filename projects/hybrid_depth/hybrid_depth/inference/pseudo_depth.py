"""Metric depth of a vehicle's cameras by a self-supervised model, with or without LiDAR."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..engine.config import ConfigError
from ..estimators import DepthEstimator
from ..geometry import CameraRig, cell_pixels, ground_plane_depth, invert_rigid
from ..geometry.depth_consistency import agrees_with
from ..geometry.depth_scale import DepthScale, GroundPlaneScale, lidar_scale, motion_scale

SCALES = ('ground', 'lidar', 'motion', 'none')


class PseudoDepth:
    """Depth in metres, and 0 where the model is not to be believed.

    A self-supervised model is right up to a factor, which differs from image to image and, as
    cameras differ in focal length, from camera to camera. It is told for every image anew. A pixel
    counts where the mirrored image, mirrored back, gets about the same disparity.

    Args:
        model: estimator; it is frozen. With a `canonical_focal` its depth is first that of each
            camera's own focal length.
        scale: ``ground`` (`GroundPlaneScale`: needs calibration and nothing else), ``lidar``
            (median, needs `gt_depth`), ``motion`` (driven distance over the pose net's, needs one
            `adjacent` frame and a pose net that knows steps of half a second, as keyframes take),
            ``none`` (the model is metric already).
        mirror_tolerance: largest difference of both disparities, as a share of their mean.
        max_depth: metres; farther pixels are dropped.
        neighbour_tolerance: largest difference, as a share, from the depth that the key frame
            before says of the same place (`agrees_with`; needs one `adjacent` frame). What moves
            disagrees, unless it keeps its distance; a frame that stands for itself, as at the
            start of a scene, agrees. None does not ask.

    Raises:
        ConfigError: an unknown scale, or ``motion`` of a model without a pose net, or with one that
            counts in mean depths.
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
        pose_net = getattr(model, 'pose_net', None)
        if scale == 'motion' and (pose_net is None or pose_net.depth_scaled):
            raise ConfigError(
                f'PseudoDepth: expected a pose net in the unit of depth for scale {scale!r}, got '
                + ('none' if pose_net is None else f'{type(pose_net).__name__}, in mean depths')
                + "; take another scale ('none' for a model that learnt from motion in metres)"
            )
        self.model = model.eval().requires_grad_(False)
        self.scale, self.mirror_tolerance, self.max_depth = scale, mirror_tolerance, max_depth
        self.neighbour_tolerance = neighbour_tolerance
        self.ground = GroundPlaneScale()

    @property
    def num_adj(self) -> int:
        """Earlier key frames that a batch has to bring."""
        return int(self.scale == 'motion' or self.neighbour_tolerance is not None)

    @torch.no_grad()
    def __call__(self, inputs: dict) -> tuple[Tensor, DepthScale]:
        """Depth of a batch of `BEVDataPreprocessor`.

        Scale ``ground`` votes by the pixels of `ground_mask` (B, N, H, W), bool, where there is
        one.

        Returns:
            (B, N, h, w) float32 metres at the size that the model was trained at (or that of the
            images), 0 where unknown; and the scale of the B * N images.

        Raises:
            KeyError: the batch lacks what the scale needs.
        """
        self.model.to(inputs['imgs'].device)
        depth = self._unscaled(inputs)
        scale = self._scale(depth, inputs)
        metres = scale.apply(depth)
        metres = metres.masked_fill(metres > self.max_depth, 0)
        if self.neighbour_tolerance is not None:
            metres = metres.masked_fill(~self._seen_before(metres, inputs), 0)
        return metres.unflatten(0, inputs['imgs'].shape[:2]).float(), scale

    def _unscaled(self, frame: dict) -> Tensor:
        """(B * N, h, w) depth of a frame up to its scale, 0 where its mirror image disagrees and
        outside `seen` (B, N, h, w), where there is one."""
        shown = self._resize(frame['imgs'])
        disparity = self.model.disparity(shown).squeeze(1)
        mirrored = self.model.disparity(shown.flip(-1)).squeeze(1).flip(-1)
        mean = (disparity + mirrored) / 2
        agree = (disparity - mirrored).abs() <= self.mirror_tolerance * mean
        if 'seen' in frame:
            agree &= frame['seen'].flatten(0, 1)
        return (self._zoom(frame['rig'], frame['imgs'], shown) / mean).masked_fill(~agree, 0)

    def _seen_before(self, metres: Tensor, inputs: dict) -> Tensor:
        """(B * N, h, w) bool, false where the frame before contradicts."""
        before, size = self._before(inputs, 'a neighbour_tolerance'), tuple(metres.shape[-2:])
        return agrees_with(
            metres,
            self._unscaled(before),
            _intrinsics(inputs, size),
            _intrinsics(before, size),
            invert_rigid(_before2now(before['rig'], inputs['rig'])),
            self.neighbour_tolerance,
        )

    def _before(self, inputs: dict, asker: str) -> dict:
        """The key frame before."""
        self._require(inputs, 'adjacent', asker, 'num_adj=1 to the data set')
        return inputs['adjacent'][0]

    @staticmethod
    def _require(inputs: dict, name: str, asker: str, remedy: str) -> None:
        if not len(inputs.get(name, ())):
            raise KeyError(
                f'PseudoDepth: {asker} expected {name} in the inputs, got {sorted(inputs)}; add '
                f"{remedy}, or take scale 'ground' without neighbours"
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
        said = self.model.relative_pose(self._resize(before['imgs']), self._resize(images))
        return motion_scale(said[:, :3, 3], _before2now(before['rig'], rig)[:, :3, 3])

    def _zoom(self, rig: CameraRig, images: Tensor, shown: Tensor) -> Tensor | float:
        """(B * N, 1, 1) focal length of the pictures shown over the model's `canonical_focal`.

        Turning, mirroring and cropping do not change it; the length of the first column is how much
        `img_aug` enlarges.
        """
        canonical = getattr(self.model, 'canonical_focal', None)
        if canonical is None:
            return 1.0
        zoom = rig.img_aug[..., :2, 0].norm(dim=-1) * (shown.shape[-1] / images.shape[-1])
        return (rig.cam2img[..., 0, 0] * zoom / canonical).flatten()[:, None, None].to(shown)


def _before2now(before: CameraRig, now: CameraRig) -> Tensor:
    """(B * N, 4, 4) camera points of an earlier frame to those of this one."""
    before2world, now2world = (rig.ego2global.unsqueeze(1) @ rig.cam2ego for rig in (before, now))
    return (invert_rigid(now2world) @ before2world).flatten(0, 1)


def _intrinsics(frame: dict, size: tuple[int, int]) -> Tensor:
    """(B * N, 3, 3) camera points to pixels of a frame's pictures at another size (h, w)."""
    rig, (height, width) = frame['rig'], frame['imgs'].shape[-2:]
    zoom = rig.cam2img.new_tensor([size[1] / width, size[0] / height, 1])
    resize = torch.diag(zoom)
    resize[:2, 2] = (zoom[:2] - 1) / 2  # pixel centres have integer coordinates
    return (resize @ rig.img_aug @ rig.cam2img).flatten(0, 1)
