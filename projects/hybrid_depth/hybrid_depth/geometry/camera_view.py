"""Camera behind a batch of images."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .ground_plane import GroundPlane


@dataclass(frozen=True)
class CameraView:
    """Camera behind a batch of images, with what its mounting and labels say about the scene.

    Args:
        cam2img: (B, 3, 3) intrinsics, pixels of the images.
        size: (H, W) of the images.
        plane: ground in the camera frame, shape (B,); None if unknown.
        physics_depth: (B, 1, H, W) embodied depth of the images, metres, 0 = none; None if there is
            none at hand.

    Raises:
        ValueError: a tensor has another shape.

    Example:
        >>> view = CameraView(torch.eye(3)[None], (2, 4), physics_depth=torch.ones(1, 1, 2, 4))
        >>> view.of_another_frame().physics_depth.sum().item()  # that of this frame is not valid
        0.0
    """

    cam2img: Tensor
    size: tuple[int, int]
    plane: GroundPlane | None = None
    physics_depth: Tensor | None = None

    def __post_init__(self):
        batch = len(self.cam2img)
        expected = dict(cam2img=(batch, 3, 3), physics_depth=(batch, 1, *self.size))
        for name, shape in expected.items():
            tensor = getattr(self, name)
            if tensor is not None and tuple(tensor.shape) != shape:
                raise ValueError(
                    f'CameraView.{name}: expected shape {shape}, got {tuple(tensor.shape)}'
                )
        if self.plane is not None and tuple(self.plane.height.shape) != (batch,):
            raise ValueError(
                f'CameraView.plane: expected a ground plane per image, shape ({batch},), got '
                f'{tuple(self.plane.height.shape)}'
            )

    def of_another_frame(self) -> CameraView:
        """The camera at another time: same intrinsics and mounting, no embodied depth."""
        if self.physics_depth is None:
            return self
        return replace(self, physics_depth=torch.zeros_like(self.physics_depth))

    def of_unknown_scene(self) -> CameraView:
        """A camera of which nothing but the intrinsics is known: its priors are empty."""
        height = self.cam2img.new_zeros(len(self.cam2img))  # no valid plane
        plane = GroundPlane(height[:, None].repeat(1, 3), height)
        depth = self.cam2img.new_zeros(len(self.cam2img), 1, *self.size)
        return replace(self, plane=plane, physics_depth=depth)
