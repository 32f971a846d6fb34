import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from hybrid_depth.geometry import VoxelGrid
from tests.golden.bevdet import OFFICIAL_GRID, lifted, moved_cells, near_border
from tests.golden.reader import Golden

GEOMETRY = Golden('bevdet_geometry')


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_official_ranks(view):
    """The official voxel for every point but those that rounding may put into the next one; where
    no count differs, the same points in the same order, bit for bit."""
    points = lifted(view)
    ranks, near = OFFICIAL_GRID.ranks(points).flatten(), near_border(OFFICIAL_GRID, points)[0].sum()
    moved = moved_cells(view).sum()
    assert moved <= 2 * near
    depth = (ranks >= 0).nonzero().squeeze(1)
    voxel = ranks[depth]
    GEOMETRY.check(f'{view}.kept', len(depth), 1, scale=near)
    exact = OFFICIAL_GRID.ranks(lifted(view, torch.float64)).flatten()
    GEOMETRY.check(f'{view}.moved_by_f64', (ranks != exact).sum(), 1, scale=near)
    floored = replace(OFFICIAL_GRID, rounding='floor').ranks(points).flatten()
    truncated = ((ranks >= 0) & (floored < 0)).sum()
    GEOMETRY.check(f'{view}.kept_by_truncation', truncated, 1, scale=near)

    plane = 16 * 44
    feat = depth // (59 * plane) * plane + depth % plane
    sums = [*(x.sum() for x in (voxel, depth, feat)), ((voxel % 9973) * (depth % 9973)).sum()]
    order = np.lexsort((depth.numpy(), voxel.numpy()))
    crc = [zlib.crc32(x.numpy()[order].astype(np.int32).tobytes()) for x in (voxel, depth, feat)]
    same = GEOMETRY[f'{view}.sums'].tolist(), GEOMETRY[f'{view}.crc'].tolist()
    assert moved > 0 or same == (torch.stack(sums).tolist(), crc)


def test_truncation_is_not_a_border_effect():
    # With one 8 m cell in z truncation keeps z in (-13, -5) m as well
    # (docs/reference/bevdet.md, "Voxel pooling").
    points = torch.tensor([[0.0, 0.0, -12.0], [0.0, 0.0, -4.0], [-51.9, 0.0, 0.0]])[None]
    assert (OFFICIAL_GRID.ranks(points) >= 0).tolist() == [[True] * 3]
    floored = replace(OFFICIAL_GRID, rounding='floor').ranks(points)
    assert (floored >= 0).tolist() == [[False, True, False]]


def test_rank_order_is_batch_z_y_x():
    grid = VoxelGrid(x=(0, 4, 1), y=(0, 3, 1), z=(0, 2, 1))
    point = torch.tensor([[3.5, 1.5, 1.5]])
    assert grid.size == (4, 3, 2)
    assert grid.ranks(torch.stack((point, point))).flatten().tolist() == [19, 24 + 19]


def test_bad_grid_is_rejected():
    with pytest.raises(ValueError, match='VoxelGrid.y'):
        VoxelGrid(x=(0, 4, 1), y=(3, 0, 1), z=(0, 2, 1))
    with pytest.raises(ValueError, match='rounding'):
        replace(OFFICIAL_GRID, rounding='round')


def test_centres_are_in_their_voxels_in_order():
    grid = VoxelGrid(x=(-4.0, 4.0, 1.0), y=(-2.0, 2.0, 0.5), z=(-1.0, 3.0, 2.0))
    centres = grid.centres()
    assert centres.shape == (2, 8, 8, 3)
    assert torch.equal(grid.ranks(centres[None]).flatten(), torch.arange(2 * 8 * 8))
    assert centres[0, 0, 0].tolist() == [-3.5, -1.75, 0.0]
    assert centres[1, 7, 7].tolist() == [3.5, 1.75, 2.0]
