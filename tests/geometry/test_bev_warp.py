"""Warps of BEV maps and volumes to another ego frame."""

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from hybrid_depth.geometry import VoxelGrid
from hybrid_depth.geometry.bev_warp import warp_bev, warp_volume

GRID = VoxelGrid(x=(-4.0, 4.0, 1.0), y=(-3.0, 3.0, 1.0), z=(-5.0, 3.0, 8.0))


def motion(x: float = 0.0, y: float = 0.0, yaw: float = 0.0) -> torch.Tensor:
    turn = torch.tensor([[0.0, -yaw, 0, 0], [yaw, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]).double()
    shift = torch.eye(4).double()
    shift[:2, 3] = torch.tensor([x, y])
    return (shift @ torch.matrix_exp(turn))[None]


def dot(row: int, column: int) -> torch.Tensor:
    bev = torch.zeros(1, 2, 6, 8)
    bev[:, :, row, column] = 1
    return bev


@pytest.mark.parametrize('align', ['centres', 'corners'])
def test_shift_by_whole_cells(align):
    # (x + 2, y - 1) of the source is (x, y) of the target
    warped = warp_bev(dot(3, 5), motion(2.0, -1.0), GRID, align)
    torch.testing.assert_close(warped, dot(4, 3))
    assert warp_bev(dot(0, 1), motion(2.0, 0.0), GRID, align).sum() < 1e-6  # left the map
    torch.testing.assert_close(warp_bev(dot(2, 2), motion(), GRID, align), dot(2, 2))


def test_half_precision_maps_are_sampled_in_float32():
    """A grid of 128 cells in bfloat16 is half a cell off; only values may be rounded."""
    grid = VoxelGrid(x=(-64.0, 64.0, 1.0), y=(-64.0, 64.0, 1.0), z=(-5.0, 3.0, 4.0))
    bev = torch.randn(1, 2, 128, 128).bfloat16()
    torch.testing.assert_close(warp_bev(bev, motion(), grid), bev)
    volume = torch.stack((bev, -bev), 2)
    torch.testing.assert_close(warp_volume(volume, motion(), grid), volume)


def test_rotation_about_the_origin_and_half_cell_offset():
    # a quarter turn takes the cell centre (1.5, 0.5) to (-0.5, 1.5)
    turn = motion(yaw=torch.pi / 2)
    torch.testing.assert_close(warp_bev(dot(4, 3), turn, GRID), dot(3, 5), atol=1e-5, rtol=0)
    # with the lower edge as the centre, (1, 0) goes to (0, 1): one cell off
    corners = warp_bev(dot(4, 4), turn, GRID, 'corners')
    torch.testing.assert_close(corners, dot(3, 5), atol=1e-5, rtol=0)


def resampled(values: np.ndarray, motion: np.ndarray, axes: tuple, shift: float) -> np.ndarray:
    """(..., X) values of the cells (x last, first in `axes`) at their source positions."""
    lower = np.array([axis[0] + shift * axis[2] for axis in axes])
    step = np.array([axis[2] for axis in axes])
    index = np.stack(np.meshgrid(*map(np.arange, values.shape), indexing='ij')).reshape(
        len(axes), -1
    )[::-1]
    points = motion[:-1, :-1] @ (index * step[:, None] + lower[:, None]) + motion[:-1, -1:]
    place = (points - lower[:, None]) / step[:, None]
    found = map_coordinates(values, place[::-1], order=1, mode='grid-constant')
    return found.reshape(values.shape)


@pytest.mark.parametrize('align', ['centres', 'corners'])
def test_maps_equal_scipy(align):
    grid = VoxelGrid(x=(-4.0, 5.0, 1.0), y=(-3.0, 4.0, 0.5), z=(-5.0, 3.0, 8.0))
    bev = torch.rand(1, 1, 14, 9).double()
    transform = motion(0.7, -1.3, 0.4)
    flat = transform[0, [0, 1, 3]][:, [0, 1, 3]].numpy()
    shift = 0.5 if align == 'centres' else 0.0
    expected = resampled(bev[0, 0].numpy(), flat, (grid.x, grid.y), shift)
    found = warp_bev(bev, transform, grid, align)[0, 0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


@pytest.mark.parametrize('align', ['centres', 'corners'])
def test_volumes_are_warped_in_3d(align):
    grid = VoxelGrid(x=(-4.0, 5.0, 1.0), y=(-3.0, 4.0, 0.5), z=(-1.0, 3.0, 0.8))
    volume = torch.rand(1, 1, 5, 14, 9).double()
    transform = torch.eye(4).double()[None].clone()
    turn = Rotation.from_euler('zyx', [0.4, -0.2, 0.1]).as_matrix()
    transform[0, :3, :3], transform[0, :3, 3] = torch.from_numpy(turn), torch.tensor([0.7, -1, 0.3])
    shift = 0.5 if align == 'centres' else 0.0
    axes = (grid.x, grid.y, grid.z)
    expected = resampled(volume[0, 0].numpy(), transform[0].numpy(), axes, shift)
    found = warp_volume(volume, transform, grid, align)[0, 0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


def test_motion_per_sample():
    both = warp_bev(dot(3, 5).repeat(2, 1, 1, 1), torch.cat((motion(), motion(2.0))), GRID)
    torch.testing.assert_close(both, torch.cat((dot(3, 5), dot(3, 3))))


def test_bad_input():
    with pytest.raises(ValueError, match='cells'):
        warp_bev(torch.zeros(1, 1, 5, 8), motion(), GRID)
    with pytest.raises(ValueError, match='align'):
        warp_bev(torch.zeros(1, 1, 6, 8), motion(), GRID, 'middle')
