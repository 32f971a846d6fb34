"""BEV augmentation (BDA) of BEVDet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet3d.registry import TRANSFORMS
from mmdet3d.structures import LiDARInstance3DBoxes


@dataclass(frozen=True)
class BEVAugmentationParams:
    """Rotation, scale and flips of the ego frame, in this order.

    Args:
        rotate: degrees, counter-clockwise in BEV.
        scale: factor of all lengths.
        flip_x: negate x.
        flip_y: negate y.
    """

    rotate: float = 0.0
    scale: float = 1.0
    flip_x: bool = False
    flip_y: bool = False

    def matrix(self) -> np.ndarray:
        """Homogeneous transform (4, 4), ego point to augmented ego point."""
        angle = np.deg2rad(self.rotate)
        cos, sin = np.cos(angle), np.sin(angle)
        rotation = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        flip = np.diag([-1.0 if self.flip_x else 1.0, -1.0 if self.flip_y else 1.0, 1.0])
        matrix = np.eye(4)
        matrix[:3, :3] = flip @ (self.scale * rotation)
        return matrix

    def apply(self, boxes: LiDARInstance3DBoxes) -> None:
        """Augment boxes in place: centre, size, yaw and velocity."""
        boxes.rotate(np.deg2rad(self.rotate))
        boxes.scale(self.scale)
        if self.flip_x:
            boxes.flip('vertical')
        if self.flip_y:
            boxes.flip('horizontal')


@TRANSFORMS.register_module()
class BEVAugmentation(BaseTransform):
    """Random rotation, scale and flips of the ego frame (BEVDet's BDA).

    Source: docs/reference/bevdet.md, "BEV augmentation".

    Changes ``gt_bboxes_3d`` and ``bda``, not images and depth targets. Uses numpy's global random
    generator.

    Args:
        rotate: range of the rotation, degrees.
        scale: range of the scale.
        flip_x: probability of negating x.
        flip_y: probability of negating y.
    """

    def __init__(
        self,
        rotate: tuple[float, float] = (-22.5, 22.5),
        scale: tuple[float, float] = (0.95, 1.05),
        flip_x: float = 0.5,
        flip_y: float = 0.5,
    ):
        self.rotate = rotate
        self.scale = scale
        self.flip_x = flip_x
        self.flip_y = flip_y

    def sample_params(self) -> BEVAugmentationParams:
        """Random parameters."""
        return BEVAugmentationParams(
            rotate=np.random.uniform(*self.rotate),
            scale=np.random.uniform(*self.scale),
            flip_x=bool(np.random.uniform() < self.flip_x),
            flip_y=bool(np.random.uniform() < self.flip_y),
        )

    def apply(self, results: dict, params: BEVAugmentationParams) -> dict:
        """Augment ``gt_bboxes_3d`` and ``bda`` with given parameters."""
        params.apply(results['gt_bboxes_3d'])
        results['bda'] = params.matrix() @ results['bda']
        return results

    def transform(self, results: dict) -> dict:
        return self.apply(results, self.sample_params())
