"""Rigid transforms."""

from torch import Tensor


def invert_rigid(transform: Tensor) -> Tensor:
    """Inverse of rigid transforms in closed form (exact up to rounding, no linear solver).

    Args:
        transform: (..., 4, 4) rotation and translation.

    Returns:
        (..., 4, 4) inverse.

    Example:
        >>> turn = torch.tensor([[0.0, -1, 0, 2], [1, 0, 0, 3], [0, 0, 1, 0], [0, 0, 0, 1]])
        >>> torch.equal(invert_rigid(turn) @ turn, torch.eye(4))
        True
    """
    rotation_t = transform[..., :3, :3].transpose(-1, -2)
    inverse = transform.clone()
    inverse[..., :3, :3] = rotation_t
    inverse[..., :3, 3] = -(rotation_t @ transform[..., :3, 3:]).squeeze(-1)
    return inverse
