"""Sparse depth maps of points."""

import numpy as np
import torch


def project_nearest(
    points: np.ndarray,
    ego2cam: np.ndarray,
    cam2img: np.ndarray,
    img_aug: np.ndarray,
    size: tuple[int, int],
    depth_range: tuple[float, float],
) -> np.ndarray:
    """Sparse depth maps with the nearest point of each pixel, computed in float64.

    Source: docs/reference/bevdet.md, "Depth target and loss".

    Args:
        points: (P, 3) ego frame, metres.
        ego2cam: (N, 4, 4).
        cam2img: (N, 3, 3) intrinsics of the original image.
        img_aug: (N, 3, 3) original pixel to network pixel.
        size: (H, W) of the network image.
        depth_range: range [first, last) of depths kept, metres.

    Returns:
        (N, H, W) float32 depth along the camera's axis, 0 = none.
    """
    height, width = size
    project = torch.from_numpy(img_aug @ cam2img @ ego2cam[:, :3])
    columns = torch.from_numpy(points).T.expand(len(project), -1, -1)
    u, v, depth = torch.baddbmm(project[:, :, 3:], project[:, :, :3], columns).unbind(1)
    near, far = depth_range
    # drop points a pixel or more outside (most of the sweep) before the division
    visible = (depth >= near) & (depth < far)
    visible &= (u >= -depth) & (v >= -depth) & (u <= width * depth) & (v <= height * depth)
    cam, point = visible.nonzero(as_tuple=True)
    depth = depth[cam, point]
    u, v = (u[cam, point] / depth).round(), (v[cam, point] / depth).round()
    inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
    index = ((cam * height + v) * width + u)[inside].long()
    maps = torch.full((len(project) * height * width,), torch.inf)
    maps.scatter_reduce_(0, index, depth[inside].float(), 'amin')
    return maps.masked_fill_(maps.isinf(), 0).view(-1, height, width).numpy()
