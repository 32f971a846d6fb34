import math

import pytest
import torch

from hybrid_depth.geometry.affine import invert_affine, multiply


def turn(degrees: float) -> torch.Tensor:
    """Rotation by an angle, flip, scale and shift."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[-0.4 * c, 0.4 * s, 30], [0.4 * s, 0.4 * c, -140], [0, 0, 1]]).double()


@pytest.mark.parametrize('degrees', [0, 5, 60, 90, 180])
def test_inverse_with_the_first_or_the_second_row_as_pivot(degrees):
    matrix = torch.stack((turn(degrees), turn(degrees + 45)))
    torch.testing.assert_close(invert_affine(matrix), torch.linalg.inv(matrix))


def test_inverse_of_intrinsics():
    cam2img = torch.tensor([[1266.4, 0.3, 816.3], [0, 1266.0, 491.5], [0, 0, 1]]).double()
    torch.testing.assert_close(multiply(cam2img, invert_affine(cam2img)), torch.eye(3).double())


def test_product_is_rounded_after_every_step():
    # 3 * (1/3 in float32) = 1 + 2^-25, which a fused multiply-add would keep.
    third = torch.tensor(1 / 3)
    a = torch.tensor([[3.0, -1.0, 0.0]]).repeat(3, 1)
    b = torch.stack((third, torch.tensor(1.0), third)).unsqueeze(-1).repeat(1, 3)
    assert multiply(a, b).tolist() == [[0.0] * 3] * 3
    a, b = torch.rand(2, 5, 3, 3).double()
    torch.testing.assert_close(multiply(a, b), a @ b)


@pytest.mark.parametrize('entry', [(0, 0), (1, 1)])
def test_singular_matrices_are_rejected(entry):
    matrix = torch.eye(3).repeat(4, 1, 1)
    matrix[2][entry] = 0
    with pytest.raises(ValueError, match='singular'):
        invert_affine(matrix)
