import numpy as np
import pytest
import torch

from hybrid_depth.rotated_boxes import points_in_boxes
from hybrid_depth.toy_world.shapes import rotation_z


@pytest.mark.parametrize('dims', [2, 3])
def test_points_in_turned_boxes_are_those_in_the_frame_of_the_box(dims):
    rng = np.random.default_rng(0)
    points, centres = rng.uniform(-4, 4, (500, dims)), rng.uniform(-2, 2, (7, dims))
    sizes, yaws = rng.uniform(1, 5, (7, dims)), rng.uniform(-4, 4, 7)
    headings = np.stack([np.cos(yaws), np.sin(yaws)], 1)
    inside = points_in_boxes(points, centres, sizes, headings)
    to_box = rotation_z(-yaws)[:, :dims, :dims]
    local = np.einsum('mij,mpj->mpi', to_box, points - centres[:, None])
    expected = (np.abs(local) <= sizes[:, None] / 2).all(-1)
    assert np.array_equal(inside, expected) and 20 < inside.sum() < 2000
    tensors = map(torch.from_numpy, (points, centres, sizes, headings))
    assert np.array_equal(points_in_boxes(*tensors), expected)


def test_the_border_belongs_to_the_box():
    corners = np.array([[2.0, 1.0, 0.5], [2.01, 1.0, 0.5], [2.0, 1.01, 0.5], [2.0, 1.0, 0.51]])
    ahead = np.array([[1.0, 0.0]])
    inside = points_in_boxes(corners, np.zeros((1, 3)), np.array([[4.0, 2.0, 1.0]]), ahead)
    assert inside.tolist() == [[True, False, False, False]]
