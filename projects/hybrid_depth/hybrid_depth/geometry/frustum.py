"""Camera frustum and its lift to the ego frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from .affine import invert_affine, multiply
from .camera_rig import CameraRig


def create_frustum(
    depths: Tensor, feat_size: tuple[int, int], image_size: tuple[int, int], align: str = 'corners'
) -> Tensor:
    """Frustum points: network pixel and depth of every feature cell and depth bin.

    Args:
        depths: (D,) metres.
        feat_size: (h, w) of the feature map.
        image_size: (H, W) of the network image.
        align: ``corners`` maps the outermost cells to the outermost pixels (LSS and official BEVDet
            weights: docs/reference/bevdet.md, "Frustum"); ``centres`` takes the centre of the
            pixels covered by a cell.

    Returns:
        (D, h, w, 3) float32 of (u, v, depth).

    Example:
        >>> frustum = create_frustum(torch.tensor([1.0, 2.0]), (2, 3), (32, 48), align='centres')
        >>> frustum.shape
        torch.Size([2, 2, 3, 3])
        >>> frustum[1, 0, 2].tolist()  # second depth, first row, last column
        [39.5, 7.5, 2.0]
    """
    shape = (len(depths), *feat_size)
    pixels = cell_pixels(feat_size, image_size, align).expand(*shape, 2)
    return torch.cat((pixels, depths.view(-1, 1, 1, 1).expand(*shape, 1)), -1)


def cell_pixels(
    feat_size: tuple[int, int], image_size: tuple[int, int], align: str = 'centres'
) -> Tensor:
    """Network pixel (u, v) of every feature cell, (h, w, 2) float32; see ``create_frustum``.

    Example:
        >>> cell_pixels((1, 2), (16, 32)).tolist()
        [[[7.5, 7.5], [23.5, 7.5]]]
        >>> cell_pixels((1, 2), (16, 32), align='corners').tolist()
        [[[0.0, 0.0], [31.0, 0.0]]]
    """
    (h, w), (height, width) = feat_size, image_size
    if align == 'corners':
        u, v = torch.linspace(0, width - 1, w), torch.linspace(0, height - 1, h)
    elif align == 'centres':
        u = (torch.arange(w) + 0.5) * (width / w) - 0.5
        v = (torch.arange(h) + 0.5) * (height / h) - 0.5
    else:
        raise ValueError(f"cell_pixels: align must be 'corners' or 'centres', got {align!r}")
    return torch.stack(torch.meshgrid(u, v, indexing='xy'), -1)


def lift_frustum(frustum: Tensor, rig: CameraRig) -> Tensor:
    """Frustum points in the (BEV-augmented) ego frame.

    Computed in the rig's dtype: float64 rigs give exact geometry, float32 rigs repeat the official
    order of operations (docs/reference/bevdet.md, "Lift") bit for bit on every CPU. Rounding in a
    library's matrix products and inverses depends on the CPU and would move a few points to a
    neighbouring voxel.

    Args:
        frustum: (D, h, w, 3) of (u, v, depth).
        rig: cameras, B x N.

    Returns:
        (B, N, D, h, w, 3) metres.

    Raises:
        ValueError: an image augmentation or an intrinsic matrix is singular.

    Example:
        >>> k = torch.tensor([[[[100.0, 0, 32], [0, 100, 24], [0, 0, 1]]]])
        >>> front = [[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]]
        >>> unit = torch.eye(4)[None]
        >>> rig = CameraRig(k, torch.tensor([[front]]), unit[None, :, :3, :3], unit, unit)
        >>> lift_frustum(torch.tensor([[[[32.0, 39.0, 10.0]]]]), rig).flatten().tolist()
        [10.0, 0.0, 0.0]
    """
    cameras = LiftMatrices.of(rig).per_point()
    return torch.stack(cameras.lift(*frustum.to(rig.cam2img).unbind(-1)), -1)


@dataclass(frozen=True)
class LiftMatrices:
    """Matrices of the lift of each camera: ``bda ((camera2ego @ (depth * (u, v, 1))) + shift)``
    with ``(u, v) = pixel2image @ (pixel - origin)``.

    Args:
        pixel2image: (..., 2, 2) inverse of the linear part of the image augmentation.
        origin: (..., 2) shift of the image augmentation, pixels.
        camera2ego: (..., 3, 3) rotation to the ego frame times the inverse intrinsics.
        shift: (..., 3) camera centre in the ego frame, metres.
        bda: (..., 3, 3) BEV augmentation.
    """

    pixel2image: Tensor
    origin: Tensor
    camera2ego: Tensor
    shift: Tensor
    bda: Tensor

    @classmethod
    def of(cls, rig: CameraRig) -> LiftMatrices:
        """Those of B x N cameras, in the rig's dtype; ValueError for a singular matrix."""
        linear = torch.nn.functional.pad(rig.img_aug[..., :2, :2], (0, 1, 0, 1))
        linear[..., 2, 2] = 1
        return cls(
            pixel2image=invert_affine(linear)[..., :2, :2],
            origin=rig.img_aug[..., :2, 2],
            camera2ego=multiply(rig.cam2ego[..., :3, :3], invert_affine(rig.cam2img)),
            shift=rig.cam2ego[..., :3, 3],
            bda=rig.bda[:, None, :3, :3].expand(*rig.cam2ego.shape[:2], 3, 3),
        )

    def map(self, change: Callable[[Tensor], Tensor]) -> LiftMatrices:
        """The same change of every tensor."""
        return LiftMatrices(*(change(getattr(self, field.name)) for field in fields(self)))

    def per_point(self) -> LiftMatrices:
        """Every element in the shape (B, N, 1, 1, 1), for points (B, N, D, h, w)."""
        return self.map(lambda x: x[:, :, None, None, None])

    def lift(self, u: Tensor, v: Tensor, depth: Tensor) -> list[Tensor]:
        """Ego x, y, z of network pixels (u, v) at the depth, which broadcast with the cameras.

        Elementwise, in a fixed order: bit for bit the same for any selection of points.
        """
        u, v = _apply(self.pixel2image, (u - self.origin[..., 0], v - self.origin[..., 1]))
        points = _apply(self.camera2ego, (u.mul_(depth), v.mul_(depth), depth))
        shifts = self.shift.unbind(-1)
        points = [point.add_(shift) for point, shift in zip(points, shifts, strict=True)]
        return _apply(self.bda, points)


def _apply(matrix: Tensor, point: Sequence[Tensor]) -> list[Tensor]:
    """(..., C, C) times C coordinates (...), summed from left to right, never fused."""
    result = []
    for row in matrix.unbind(-2):
        first, *others = zip(row.unbind(-1), point, strict=True)
        total = first[0] * first[1]
        for weight, coordinate in others:
            total.add_(weight * coordinate)
        result.append(total)
    return result
