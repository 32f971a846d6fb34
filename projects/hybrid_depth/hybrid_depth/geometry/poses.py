"""Rigid motion between two camera views."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Motion:
    """Rigid motion predicted by a pose net, from the first camera's frame to the second's.

    Attributes:
        axis_angle: (B, 3) rotation axis times angle, radians.
        translation: (B, 3) in the unit of the depths it is trained with.

    Example:
        >>> motion = Motion(torch.zeros(1, 3), torch.tensor([[0.0, 0.0, -0.5]]))
        >>> (motion.matrix() @ torch.tensor([0.0, 0.0, 10.0, 1.0])).tolist()
        [[0.0, 0.0, 9.5, 1.0]]
    """

    axis_angle: Tensor
    translation: Tensor

    def matrix(self) -> Tensor:
        """(B, 4, 4) homogeneous transform: rotate, then translate."""
        upper = torch.cat([axis_angle_to_matrix(self.axis_angle), self.translation[..., None]], -1)
        row = self.translation[..., None, :]
        lower = torch.cat([torch.zeros_like(row), torch.ones_like(row[..., :1])], -1)
        return torch.cat([upper, lower], dim=-2)


def axis_angle_to_matrix(axis_angle: Tensor) -> Tensor:
    """Rotation matrix by Rodrigues' formula, axis = vector / (norm + 1e-7), differentiable at zero.

    Args:
        axis_angle: (..., 3) rotation axis times angle, radians.

    Returns:
        (..., 3, 3) rotations.

    Example:
        >>> quarter = axis_angle_to_matrix(torch.tensor([0.0, 0.0, torch.pi / 2]))
        >>> quarter.round().int().tolist()
        [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    """
    angle = axis_angle.norm(dim=-1, keepdim=True)
    x, y, z = (axis_angle / (angle + 1e-7)).unbind(-1)
    zero = torch.zeros_like(x)
    rows = (zero, -z, y), (z, zero, -x), (-y, x, zero)
    cross = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    axis = torch.stack([x, y, z], dim=-1)
    outer = axis[..., :, None] * axis[..., None, :]
    cos, sin = angle.cos()[..., None], angle.sin()[..., None]
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return cos * identity + sin * cross + (1 - cos) * outer
