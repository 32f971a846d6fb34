"""Back-projection of pixels to points, projection of points, and sampling of images.

Camera frames: x right, y down, z forward. Pixel centres have integer coordinates, (0, 0) first
(docs/reference/conventions.md, "Pixel coordinates").
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def back_project(depth: Tensor, cam2img: Tensor) -> Tensor:
    """Back-projection of all pixels to points in the camera frame.

    Args:
        depth: (B, 1, H, W) along z.
        cam2img: (B, 3, 3) intrinsics, pixels of this map.

    Returns:
        (B, 3, H * W) points, row by row, in the unit of depth.

    Example:
        >>> cam2img = torch.tensor([[[10.0, 0, 1], [0, 10, 0], [0, 0, 1]]])
        >>> back_project(torch.full((1, 1, 1, 2), 5.0), cam2img)[0].T.tolist()
        [[-0.5, 0.0, 5.0], [0.0, 0.0, 5.0]]
    """
    rows, columns = depth.shape[-2:]
    v, u = torch.meshgrid(
        torch.arange(rows, dtype=depth.dtype, device=depth.device),
        torch.arange(columns, dtype=depth.dtype, device=depth.device),
        indexing='ij',
    )
    pixels = torch.stack([u, v, torch.ones_like(u)]).flatten(1)
    rays = torch.linalg.inv(cam2img.to(depth.dtype)) @ pixels
    return rays * depth.flatten(2)


def project(points: Tensor, cam2img: Tensor, transform: Tensor, size: tuple[int, int]) -> Tensor:
    """Projection of points into another camera, as a sampling grid.

    Args:
        points: (..., B, 3, H * W) in the first camera's frame.
        cam2img: (..., B, 3, 3) intrinsics of the other camera.
        transform: (..., B, 4, 4) first camera's frame to the other's.
        size: (H, W) of both images.

    Returns:
        (..., B, H, W, 2) x and y in [-1, 1] from the first to the last pixel centre, the
        convention of `align_corners=True`. The divisor is depth + 1e-7; points behind the camera
        are not masked (docs/reference/monodepth2.md, "Projection and sampling").

    Example:
        >>> cam2img = torch.tensor([[[10.0, 0, 1], [0, 10, 0.5], [0, 0, 1]]])
        >>> points = back_project(torch.full((1, 1, 2, 3), 5.0), cam2img)
        >>> grid = project(points, cam2img, torch.eye(4)[None], size=(2, 3))
        >>> grid[0, 0].round(decimals=4).tolist()  # first row, not moved by the identity
        [[-1.0, -1.0], [0.0, -1.0], [1.0, -1.0]]
    """
    rows, columns = size
    projection = cam2img.to(transform.dtype) @ transform[..., :3, :]
    image = projection[..., :3] @ points + projection[..., 3:]
    pixels = image[..., :2, :] / (image[..., 2:, :] + 1e-7)
    last = pixels.new_tensor([columns - 1, rows - 1])
    grid = pixels.transpose(-1, -2) / last * 2 - 1
    return grid.unflatten(-2, (rows, columns))


def sample(image: Tensor, grid: Tensor, align_corners: bool = True) -> Tensor:
    """Bilinear sampling of an image, with border values outside.

    Args:
        image: (B, C, H, W).
        grid: (B, h, w, 2) from `project`.
        align_corners: True matches `project`. False shifts it by up to half a pixel, as
            Monodepth2's code does with PyTorch 1.3 or later.

    Example:
        >>> image = torch.tensor([[[[0.0, 10.0, 20.0]]]])
        >>> grid = torch.tensor([[[[-1.0, 0.0], [0.5, 0.0], [3.0, 0.0]]]])
        >>> sample(image, grid).flatten().tolist()
        [0.0, 15.0, 20.0]
    """
    return F.grid_sample(image, grid, padding_mode='border', align_corners=align_corners)


def scale_intrinsics(cam2img: Tensor, x: float, y: float) -> Tensor:
    """Intrinsics (..., 3, 3) of an image whose width and height are multiplied by x and y.

    Example:
        >>> cam2img = torch.tensor([[10.0, 0, 4], [0, 10, 2], [0, 0, 1]])
        >>> scale_intrinsics(cam2img, x=0.5, y=0.25).tolist()
        [[5.0, 0.0, 2.0], [0.0, 2.5, 0.5], [0.0, 0.0, 1.0]]
    """
    return cam2img * cam2img.new_tensor([x, y, 1])[:, None]


def focal_length(cam2img: Tensor) -> Tensor:
    """Horizontal focal length of intrinsics (..., 3, 3), pixels -> (...).

    The norm of the first column, which is invariant to rotation, mirroring and cropping.

    Example:
        >>> cam2img = torch.tensor([[10.0, 0, 4], [0, 10, 2], [0, 0, 1]])
        >>> mirror = torch.tensor([[-1.0, 0, 7], [0, 1, 0], [0, 0, 1]])
        >>> focal_length(torch.stack([cam2img, mirror @ cam2img])).tolist()
        [10.0, 10.0]
    """
    return cam2img[..., :2, 0].norm(dim=-1)
