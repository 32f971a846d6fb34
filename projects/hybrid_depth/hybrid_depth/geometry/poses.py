"""Rigid motion between two camera views."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

#: Matrices of the cross product with the unit vectors.
_GENERATORS = (
    ((0.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)),
    ((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), (-1.0, 0.0, 0.0)),
    ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
)


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
        # padded and added: sizes would be constants in ONNX graphs
        last = upper.new_tensor([[0.0] * 4] * 3 + [[0.0, 0.0, 0.0, 1.0]])
        return torch.nn.functional.pad(upper, (0, 0, 0, 1)) + last


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
    axis = axis_angle / (angle + 1e-7)
    cross = (axis[..., None, None] * axis.new_tensor(_GENERATORS)).sum(-3)
    outer = axis[..., :, None] * axis[..., None, :]
    cos, sin = angle.cos()[..., None], angle.sin()[..., None]
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return cos * identity + sin * cross + (1 - cos) * outer
