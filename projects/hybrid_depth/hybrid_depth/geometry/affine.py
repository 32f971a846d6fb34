"""3x3 matrix operations with identical rounding on every CPU: elementwise, in a fixed order."""

import torch
from torch import Tensor


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """Matrix product (..., 3, 3), summed from left to right without fused operations."""
    terms = a.unsqueeze(-1) * b.unsqueeze(-3)
    return terms[..., 0, :] + terms[..., 1, :] + terms[..., 2, :]


def invert_affine(matrix: Tensor) -> Tensor:
    """Inverse of 2-D affine maps, among them intrinsics.

    Gaussian elimination with the larger of the first two rows as pivot, in LAPACK's order.

    Args:
        matrix: (..., 3, 3) with last row (0, 0, 1).

    Raises:
        ValueError: a matrix is singular. Not on CUDA, where the host would have to wait for the
            device; calibrations are checked where they are read.

    Example:
        >>> matrix = torch.tensor([[2.0, 0, 4], [0, 4, 8], [0, 0, 1]])
        >>> invert_affine(matrix).tolist()
        [[0.5, 0.0, -2.0], [0.0, 0.25, -2.0], [0.0, 0.0, 1.0]]
    """
    swap = matrix[..., 1:2, 0].abs() > matrix[..., :1, 0].abs()
    unit = torch.eye(3, dtype=matrix.dtype, device=matrix.device).expand_as(matrix)
    # Rows of (matrix | unit matrix), the pivot row first.
    rows = torch.cat((matrix, unit), -1)
    first, second, bottom = rows.unbind(-2)
    top, middle = torch.where(swap, second, first), torch.where(swap, first, second)
    middle = middle - middle[..., :1] / top[..., :1] * top
    regular = (top[..., 0] * middle[..., 1]).abs() > 0  # false for NaN too
    if not (matrix.is_cuda or regular.all()):
        raise ValueError(
            'invert_affine: expected invertible matrices, got a singular one; check the intrinsics '
            'and the image augmentation'
        )

    z = bottom[..., 3:]
    y = (middle[..., 3:] - middle[..., 2:3] * z) / middle[..., 1:2]
    x = (top[..., 3:] - top[..., 2:3] * z - top[..., 1:2] * y) / top[..., :1]
    return torch.stack((x, y, z), -2)
