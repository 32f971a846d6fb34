"""The ground as a plane in the camera frame, and its depth per pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .camera_rig import CameraRig


@dataclass(frozen=True)
class GroundPlane:
    """Plane of the ground in the camera frame: normal . X = height.

    A plane whose height is not positive or that has NaN is invalid and has no depth anywhere
    (docs/reference/ground_plane.md, "Depth of the ground plane").

    Args:
        normal: (..., 3) unit vectors that point down, in the camera frame (x right, y down, z
            forward).
        height: (...) height of the camera centre above the ground, metres.

    Raises:
        ValueError: shapes do not fit.

    Example:
        >>> plane = GroundPlane.from_angles(height=1.5, pitch=math.radians(2))
        >>> cam2img = torch.tensor([[100.0, 0, 32], [0, 100, 24], [0, 0, 1]]).double()
        >>> pixels = torch.tensor([[[32.0, 39.0], [32.0, 4.0]]])  # the second is above the horizon
        >>> plane.depth(pixels, cam2img, max_depth=80.0).round(decimals=3).tolist()
        [[8.117, 0.0]]
    """

    normal: Tensor
    height: Tensor

    def __post_init__(self):
        if self.normal.shape != (*self.height.shape, 3):
            raise ValueError(
                f'GroundPlane: expected normal (..., 3) and height (...), got '
                f'{tuple(self.normal.shape)} and {tuple(self.height.shape)}'
            )

    @classmethod
    def from_angles(cls, height: float, pitch: float = 0.0, roll: float = 0.0) -> GroundPlane:
        """Plane below a camera of known height and attitude, float64.

        Args:
            height: metres.
            pitch: radians, positive if the camera looks down.
            roll: radians, positive if the camera's right side is the lower one.

        Raises:
            ValueError: the height is not positive, or a value is not finite.
        """
        if not (height > 0 and all(map(math.isfinite, (height, pitch, roll)))):
            raise ValueError(
                'GroundPlane: expected a height above 0 and finite angles, got height '
                f'{height}, pitch {pitch}, roll {roll}; measure the height of the camera above '
                'the road in metres'
            )
        level = math.cos(pitch)
        normal = (level * math.sin(roll), level * math.cos(roll), math.sin(pitch))
        return cls(*(torch.tensor(x, dtype=torch.float64) for x in (normal, height)))

    @classmethod
    def unknown(cls) -> GroundPlane:
        """Invalid plane, of shape ()."""
        return cls(torch.full((3,), torch.nan).double(), torch.tensor(torch.nan).double())

    @classmethod
    def from_pose(cls, cam2ego: Tensor) -> GroundPlane:
        """Plane z = 0 of a frame whose z axis points up.

        Args:
            cam2ego: (..., 4, 4) camera to that frame, metres.
        """
        return cls(-cam2ego[..., 2, :3], cam2ego[..., 2, 3])

    @classmethod
    def from_inverse(cls, inverse: Tensor) -> GroundPlane:
        """Plane inverse . X = 1, the inverse of `inverse`.

        Args:
            inverse: (..., 3) 1 / metres.
        """
        height = 1 / inverse.norm(dim=-1)
        return cls(inverse * height[..., None], height)

    @property
    def inverse(self) -> Tensor:
        """(..., 3) normal / height; inverse depth is linear in it: 1 / z = inverse . K^-1 p."""
        return self.normal / self.height[..., None]

    @property
    def pitch(self) -> Tensor:
        """(...) radians, positive if the camera looks down."""
        return self.normal[..., 2].clamp(-1, 1).asin()

    @property
    def roll(self) -> Tensor:
        """(...) radians, positive if the camera's right side is the lower one."""
        return torch.atan2(self.normal[..., 0], self.normal[..., 1])

    @property
    def valid(self) -> Tensor:
        """(...) bool: positive height, no NaN or infinity."""
        finite = self.normal.isfinite().all(-1) & self.height.isfinite()
        return finite & (self.height > 0)

    def to(self, *args, **kwargs) -> GroundPlane:
        """Move or cast both tensors, as ``Tensor.to`` does."""
        return GroundPlane(self.normal.to(*args, **kwargs), self.height.to(*args, **kwargs))

    def depth(self, pixels: Tensor, cam2img: Tensor, max_depth: float) -> Tensor:
        """Camera depth at which the rays of pixels meet the plane.

        Args:
            pixels: (h, w, 2) of (u, v), integers at the pixel centres.
            cam2img: (..., 3, 3) intrinsics, image augmentation included.
            max_depth: metres; farther ground, and pixels at or above the horizon, are invalid.

        Returns:
            (..., h, w) metres in the dtype of `cam2img`, 0 where invalid.
        """
        points = torch.nn.functional.pad(pixels.to(cam2img), (0, 1), value=1.0)
        plane = self.to(cam2img)
        slope = torch.einsum('hwp,...cp,...c->...hw', points, cam2img.inverse(), plane.normal)
        height = plane.height[..., None, None]
        valid = (slope * max_depth > height) & plane.valid[..., None, None]
        return torch.where(valid, height / slope.where(valid, torch.ones_like(slope)), 0.0)


def ground_plane_depth(pixels: Tensor, rig: CameraRig, max_depth: float) -> Tensor:
    """Camera depth at which each pixel's ray meets the ground, z = 0 of the ego frame.

    `GroundPlane.depth` of all cameras of a rig ("embodied depth" of Vision-Language Embodiment,
    CVPR 2025, arXiv 2503.16535; docs/reference/ground_plane.md, "Depth of the ground plane"). Needs
    no training and no LiDAR. Objects on the ground are nearer than the ground depth of their
    pixels; the difference grows with height above the ground (`EmbodiedDepth` has their depth).

    Args:
        pixels: (h, w, 2) of (u, v), network pixels.
        rig: cameras, B x N.
        max_depth: metres; farther ground, and pixels at or above the horizon, are invalid.

    Returns:
        (B, N, h, w) metres in the rig's dtype, 0 where invalid.

    Example:
        >>> k = torch.tensor([[[[100.0, 0, 32], [0, 100, 24], [0, 0, 1]]]])
        >>> front = [[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]]
        >>> unit = torch.eye(4)[None]
        >>> rig = CameraRig(k, torch.tensor([[front]]), unit[None, :, :3, :3], unit, unit)
        >>> pixels = torch.tensor([[[32.0, 39.0], [32.0, 24.0]]])  # the second lies on the horizon
        >>> ground_plane_depth(pixels, rig, max_depth=80.0).round(decimals=3).flatten().tolist()
        [10.0, 0.0]
    """
    plane = GroundPlane.from_pose(rig.cam2ego)
    return plane.depth(pixels, rig.img_aug @ rig.cam2img, max_depth)
