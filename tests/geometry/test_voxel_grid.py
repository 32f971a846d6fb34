import zlib

import numpy as np
import pytest
import torch

from hybrid_depth.geometry import DepthBins, VoxelGrid, create_frustum, lift_frustum
from tests.golden.bevdet import Golden, official_rig

OFFICIAL = dict(x=(-51.2, 51.2, 0.8), y=(-51.2, 51.2, 0.8), z=(-5.0, 3.0, 8.0))


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_official_ranks_are_bit_equal(view):
    bins = DepthBins(1.0, 60.0, step=1.0, anchor='lower')
    points = lift_frustum(create_frustum(bins.values, (16, 44), (256, 704)), official_rig(view))
    golden = Golden('geometry')
    ranks = VoxelGrid(**OFFICIAL, rounding='trunc').ranks(points).flatten()
    depth = (ranks >= 0).nonzero().squeeze(1)
    voxel = ranks[depth]
    assert len(depth) == golden[f'{view}.kept']
    plane = 16 * 44
    feat = depth // (59 * plane) * plane + depth % plane
    order = np.lexsort((depth.numpy(), voxel.numpy()))
    crc = [zlib.crc32(x.numpy()[order].astype(np.int32).tobytes()) for x in (voxel, depth, feat)]
    assert crc == golden[f'{view}.crc'].tolist()
    voxels, counts = voxel.unique(return_counts=True)
    assert torch.equal(voxels, golden[f'{view}.voxels'].long())
    assert torch.equal(counts, golden[f'{view}.interval_lengths'].long())


def test_truncation_is_not_a_border_effect():
    # With one 8 m cell in z truncation keeps z in (-13, -5) m as well
    # (docs/reference/bevdet.md, "Voxel pooling").
    points = torch.tensor([[0.0, 0.0, -12.0], [0.0, 0.0, -4.0], [-51.9, 0.0, 0.0]])[None]
    assert (VoxelGrid(**OFFICIAL, rounding='trunc').ranks(points) >= 0).tolist() == [[True] * 3]
    assert (VoxelGrid(**OFFICIAL).ranks(points) >= 0).tolist() == [[False, True, False]]


def test_rank_order_is_batch_z_y_x():
    grid = VoxelGrid(x=(0, 4, 1), y=(0, 3, 1), z=(0, 2, 1))
    point = torch.tensor([[3.5, 1.5, 1.5]])
    assert grid.size == (4, 3, 2)
    assert grid.ranks(torch.stack((point, point))).flatten().tolist() == [19, 24 + 19]


def test_bad_grid_is_refused():
    with pytest.raises(ValueError, match='VoxelGrid.y'):
        VoxelGrid(x=(0, 4, 1), y=(3, 0, 1), z=(0, 2, 1))
    with pytest.raises(ValueError, match='rounding'):
        VoxelGrid(**OFFICIAL, rounding='round')


def test_centres_fall_into_their_own_voxels_in_order():
    grid = VoxelGrid(x=(-4.0, 4.0, 1.0), y=(-2.0, 2.0, 0.5), z=(-1.0, 3.0, 2.0))
    centres = grid.centres()
    assert centres.shape == (2, 8, 8, 3)
    assert torch.equal(grid.ranks(centres[None]).flatten(), torch.arange(2 * 8 * 8))
