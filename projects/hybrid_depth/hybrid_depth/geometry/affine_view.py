"""Affine views: an image rotated about its centre, a part of which is enlarged to its size.

The camera of such a view sees the scene from the same place with another orientation and depth
(docs/reference/mono_vifi.md, "Affine draw").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class AffineView:
    """A batch of affine views.

    Attributes:
        angle: (B,) degrees, counter-clockwise.
        box: (B, 4) int, left, top, width and height of the part of the rotated image, pixels.
        ratio: (B,) enlargement of the part.
        camera: (B, 3, 3) points in the camera's frame to those of the view's camera.
        seen: (B, 1, H, W) bool, pixels of the view that show the image.
        returned: (B, 1, H, W) bool, pixels of the image that are in the view.
    """

    angle: Tensor
    box: Tensor
    ratio: Tensor
    camera: Tensor
    seen: Tensor
    returned: Tensor

    def apply(self, images: Tensor) -> Tensor:
        """(B, C, H, W) -> their views (B, C, H, W), 0 outside the images."""
        size = images.shape[-2:]
        views = []
        for image, angle, box in zip(images, self.angle.tolist(), self.box.tolist(), strict=True):
            left, top, width, height = box
            part = rotate(image, angle)[:, top : top + height, left : left + width]
            views.append(F.interpolate(part[None], size, mode='bilinear', align_corners=False))
        return torch.cat(views)

    def restore(self, depth: Tensor) -> Tensor:
        """Depth (B, 1, H, W) of the views -> of the images, where they are `returned`."""
        restored = []
        items = zip(depth, self.angle.tolist(), self.box.tolist(), strict=True)
        for view, angle, (left, top, width, height) in items:
            part = F.interpolate(view[None], (height, width), mode='bilinear', align_corners=False)[
                0
            ]
            rows, columns = view.shape[-2:]
            margins = (left, columns - left - width, top, rows - top - height)
            restored.append(rotate(F.pad(part, margins), -angle))
        return torch.stack(restored) * self.ratio.view(-1, 1, 1, 1)

    def transforms(self, known: Tensor) -> Tensor:
        """(..., B, 4, 4) from a camera's frame to another's -> between their views' cameras."""
        turned = known.clone()
        turned[..., :3, :3] = self.camera @ known[..., :3, :3] @ torch.linalg.inv(self.camera)
        turned[..., :3, 3:] = self.camera @ known[..., :3, 3:]
        return turned


def rotate(image: Tensor, angle: float) -> Tensor:
    """Image (C, H, W) rotated about its centre by `angle` degrees counter-clockwise, bilinear."""
    from torchvision.transforms import InterpolationMode, functional  # takes a second to import

    return functional.rotate(image, angle, InterpolationMode.BILINEAR)


def view_camera(
    cam2img: Tensor, angle: float, ratio: float, offset: Sequence[int], size: Sequence[int]
) -> Tensor:
    """(3, 3) points in a camera's frame to those of its affine view's camera.

    Args:
        cam2img: (3, 3) intrinsics of the image, pixels; also those of the view.
        angle: degrees, counter-clockwise.
        ratio: enlargement of the image before a part of its own size is cut out.
        offset: left and top of that part, pixels of the enlarged image.
        size: width and height of the enlarged image.
    """
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    rotation = cam2img.new_tensor([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    half_x, half_y = size[0] / 2, size[1] / 2
    inverse = torch.linalg.inv(cam2img)
    to_centre = cam2img.new_tensor([-half_x / ratio, -half_y / ratio, 1 / ratio - 1])
    back = cam2img.new_tensor([(half_x - offset[0]) / ratio, (half_y - offset[1]) / ratio, 0])
    camera = inverse @ rotation @ cam2img
    camera[:, 2] += inverse @ (rotation @ to_centre + back)
    return camera
