import math

import pytest
import torch

from hybrid_depth.geometry.poses import Motion, axis_angle_to_matrix
from hybrid_depth.geometry.rigid import invert_rigid
from tests.golden.monodepth2 import values
from tests.golden.reader import Golden

LAYERS = Golden('monodepth2_layers')


def test_golden_matrices():
    axis_angle = 0.3 * values('axisangle', (4, 1, 3))
    axis_angle[-1] = 0
    LAYERS.check('axisangle', axis_angle, 1e-6)
    rotation = torch.eye(4).repeat(4, 1, 1)
    rotation[:, :3, :3] = axis_angle_to_matrix(axis_angle[:, 0])
    LAYERS.check('rotation', rotation, 1e-6)
    translation = values('translation', (4, 1, 3))
    LAYERS.check('translation', translation, 0)
    matrix = Motion(axis_angle[:, 0], translation[:, 0]).matrix()
    LAYERS.check('transform', matrix, 1e-6)
    LAYERS.check('transform.inverted', invert_rigid(matrix), 1e-6)


def test_quarter_turn_about_z():
    matrix = axis_angle_to_matrix(torch.tensor([0, 0, math.pi / 2]))
    assert torch.allclose(matrix @ torch.tensor([1.0, 0, 0]), torch.tensor([0, 1.0, 0]), atol=1e-6)


@pytest.mark.parametrize('start', [(0.0, 0.0, 0.0), (0.3, -0.2, 0.1)])
def test_gradient_is_finite_without_motion(start):
    axis_angle = torch.tensor([start], dtype=torch.float64, requires_grad=True)
    translation = torch.zeros(1, 3, dtype=torch.float64)
    point = torch.tensor([1.0, 2, 3, 1], dtype=torch.float64)
    (Motion(axis_angle, translation).matrix() @ point).sum().backward()
    assert torch.isfinite(axis_angle.grad).all()


def test_gradient():
    axis_angle = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(axis_angle_to_matrix, axis_angle)
