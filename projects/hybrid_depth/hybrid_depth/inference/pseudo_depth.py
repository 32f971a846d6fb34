"""Metric depth of a vehicle's cameras by a self-supervised model, with or without LiDAR."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..estimators import DepthEstimator
from ..geometry import CameraRig, cell_pixels, ground_plane_depth, invert_rigid
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

    Raises:
        ValueError: an unknown scale, or ``motion`` of a pose net that counts in mean depths.
    """

    def __init__(
        self,
        model: DepthEstimator,
        scale: str = 'ground',
        mirror_tolerance: float = 0.1,
        max_depth: float = 80.0,
    ) -> None:
        if scale not in SCALES:
            raise ValueError(f'PseudoDepth: expected a scale among {SCALES}, got {scale!r}')
        if scale == 'motion' and getattr(getattr(model, 'pose_net', None), 'depth_scaled', False):
            raise ValueError(
                f'PseudoDepth: expected a pose net in the unit of depth for scale {scale!r}, got '
                f'{type(model.pose_net).__name__}, which counts in mean depths; take another scale'
            )
        self.model = model.eval().requires_grad_(False)
        self.scale, self.mirror_tolerance, self.max_depth = scale, mirror_tolerance, max_depth
        self.ground = GroundPlaneScale()

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
        images, rig = inputs['imgs'], inputs['rig']
        self.model.to(images.device)
        shown = self._resize(images)
        disparity = self.model.disparity(shown).squeeze(1)
        mirrored = self.model.disparity(shown.flip(-1)).squeeze(1).flip(-1)
        mean = (disparity + mirrored) / 2
        agree = (disparity - mirrored).abs() <= self.mirror_tolerance * mean
        depth = (self._zoom(rig, images, shown) / mean).masked_fill(~agree, 0)
        scale = self._scale(depth, inputs, rig, shown)
        metres = scale.apply(depth)
        metres = metres.masked_fill(metres > self.max_depth, 0)
        return metres.unflatten(0, images.shape[:2]).float(), scale

    def _resize(self, images: Tensor) -> Tensor:
        """(B, N, 3, H, W) -> (B * N, 3, h, w)."""
        images = images.flatten(0, 1)
        size = getattr(self.model, 'image_size', None)
        if size is None or tuple(images.shape[-2:]) == tuple(size):
            return images
        return F.interpolate(images, tuple(size), mode='bilinear', antialias=True)

    def _scale(self, depth: Tensor, inputs: dict, rig: CameraRig, shown: Tensor) -> DepthScale:
        if self.scale == 'none':
            scale = torch.ones(len(depth), dtype=torch.float64, device=depth.device)
            return DepthScale(scale, torch.zeros_like(scale), torch.ones_like(scale))
        if self.scale == 'ground':
            pixels = cell_pixels(tuple(depth.shape[-2:]), tuple(inputs['imgs'].shape[-2:]))
            plane = ground_plane_depth(pixels.to(rig.cam2img), rig, self.ground.max_depth)
            mask = inputs.get('ground_mask')
            if mask is not None:
                mask = F.interpolate(mask.float(), tuple(depth.shape[-2:])).flatten(0, 1) > 0
            return self.ground(depth, plane.flatten(0, 1), mask)
        needed = dict(lidar='gt_depth', motion='adjacent')[self.scale]
        if not len(inputs.get(needed, ())):
            raise KeyError(
                f'PseudoDepth: scale {self.scale!r} expected {needed} in the inputs, got '
                f"{sorted(inputs)}; add LoadLidarDepth to the pipeline for 'lidar', num_adj=1 to "
                "the data set for 'motion', or take scale 'ground'"
            )
        if self.scale == 'lidar':
            truth = inputs['gt_depth'].flatten(0, 1)
            return lidar_scale(F.interpolate(depth[None], truth.shape[-2:])[0], truth)
        before = inputs['adjacent'][0]
        said = self.model.relative_pose(self._resize(before['imgs']), shown)
        now2world = rig.ego2global.unsqueeze(1) @ rig.cam2ego
        before2world = before['rig'].ego2global.unsqueeze(1) @ before['rig'].cam2ego
        driven = (invert_rigid(now2world) @ before2world).flatten(0, 1)
        return motion_scale(said[:, :3, 3], driven[:, :3, 3])

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
