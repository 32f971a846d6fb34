"""Projection of BEV pillars (columns of points above BEV cells) into the cameras."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .camera_rig import CameraRig

_NEAREST = 1e-5  # metres in front of the camera


@dataclass(frozen=True)
class PillarView:
    """Image positions and depths of Q pillars of A points each in B x N cameras.

    Args:
        uv: (B, N, Q, A, 2) float32, 0 to 1 from edge to edge of the network image.
        depth: (B, N, Q, A) float32 metres along the camera's z axis.
        hit: (B, N, Q, A) bool: in front of the camera and inside its image.
    """

    uv: Tensor
    depth: Tensor
    hit: Tensor


def project_pillars(points: Tensor, rig: CameraRig, image_size: tuple[int, int]) -> PillarView:
    """Project pillars of the augmented ego frame into every camera.

    Args:
        points: (Q, A, 3) metres.
        rig: B x N cameras.
        image_size: (H, W) of the network image.

    Example:
        >>> k = torch.tensor([[[[100.0, 0, 32], [0, 100, 24], [0, 0, 1]]]])
        >>> front = [[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]]
        >>> unit = torch.eye(4)[None]
        >>> rig = CameraRig(k, torch.tensor([[front]]), unit[None, :, :3, :3], unit, unit)
        >>> view = project_pillars(torch.tensor([[[10.0, 0, 0], [-10.0, 0, 0]]]), rig, (48, 64))
        >>> view.hit.flatten().tolist(), view.depth.round(decimals=3).flatten().tolist()
        ([True, False], [10.0, -10.0])
    """
    with torch.autocast(points.device.type, enabled=False):  # half precision is off by pixels
        ego2img = rig.ego2img()[:, :, None]
        flat = points.to(ego2img).flatten(0, 1)
        pixels = (flat @ ego2img[..., :3].transpose(-1, -2)).squeeze(2)
        pixels = (pixels + ego2img[..., 0, :, 3].unsqueeze(2)).unflatten(2, points.shape[:2])
    pixels = pixels.float()
    depth = pixels[..., 2].contiguous()
    size = points.new_tensor([image_size[1], image_size[0]])
    # integer pixel coordinates are pixel centres
    uv = (pixels[..., :2] / depth.clamp(min=_NEAREST).unsqueeze(-1) + 0.5) / size
    inside = ((uv > 0) & (uv < 1)).all(-1)
    return PillarView(uv=uv, depth=depth, hit=inside & (depth > _NEAREST))


def depth_at(view: PillarView, prob: Tensor, position: Tensor) -> Tensor:
    """Probability of each point's depth under the depth distribution of its pixel.

    One trilinear sample of (depth, row, column) per point. It decreases to zero within half a cell
    outside the image, and is zero for points behind the camera.

    Args:
        view: pillars of B x N cameras.
        prob: (B, N, D, h, w) depth distribution.
        position: (B, N, Q, A) fractional bin index of each point's depth, 0 to D - 1
            (`DepthBins.position`).

    Returns:
        (B, N, Q, A), in the dtype of ``prob``.

    Example:
        >>> one = torch.ones(1, 1, 1, 1)
        >>> view = PillarView(uv=torch.full((1, 1, 1, 1, 2), 0.5), depth=10 * one, hit=one > 0)
        >>> prob = torch.tensor([0.25, 0.75]).view(1, 1, 2, 1, 1)
        >>> round(depth_at(view, prob, position=0.5 * one).item(), 3)  # half-way between the bins
        0.5
    """
    along = (2 * position + 1) / prob.shape[2] - 1
    grid = torch.cat((2 * view.uv - 1, along.unsqueeze(-1)), -1).to(prob)
    sampled = torch.nn.functional.grid_sample(
        prob.flatten(0, 1).unsqueeze(1), grid.flatten(0, 1).unsqueeze(1), align_corners=False
    )
    return sampled.view(view.depth.shape) * (view.depth > _NEAREST)
