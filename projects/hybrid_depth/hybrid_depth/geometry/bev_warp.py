"""A BEV map seen from another ego frame."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .affine import invert_affine
from .voxel_grid import VoxelGrid


def warp_bev(bev: Tensor, target2source: Tensor, grid: VoxelGrid, align: str = 'centres') -> Tensor:
    """Sample a BEV map at the cells of another frame; zero where it has none (bev.md §1.10).

    The plane's own motion counts: heading and x, y; pitch, roll and z do not move a map.

    Args:
        bev: (B, C, Y, X) over ``grid`` of the source frame.
        target2source: (B, 4, 4) points of the target frame to the source frame, metres.
        grid: cells, in both frames.
        align: ``centres``, or ``corners`` for official BEVDet4D weights, whose map has the cell's
            lower edge where its centre should be (bev.md errata 7).

    Returns:
        (B, C, Y, X) in the target frame.

    Raises:
        ValueError: the map is not of the grid's size, or the alignment is unknown.
    """
    if align not in ('centres', 'corners'):
        raise ValueError(f"warp_bev: align must be 'centres' or 'corners', got {align!r}")
    width, height, _ = grid.size
    if tuple(bev.shape[-2:]) != (height, width):
        raise ValueError(
            f'warp_bev: expected a map of {(height, width)} cells, got {tuple(bev.shape[-2:])}'
        )
    shift = 0.5 if align == 'centres' else 0.0
    index2metres = torch.eye(3).to(target2source)
    for row, (lower, _, step) in enumerate((grid.x, grid.y)):
        index2metres[row, row], index2metres[row, 2] = step, lower + shift * step
    motion = target2source[:, [0, 1, 3]][:, :, [0, 1, 3]]
    index2index = invert_affine(index2metres) @ motion @ index2metres

    x, y = torch.arange(width).to(motion), torch.arange(height).to(motion)
    cells = torch.stack(torch.meshgrid(x, y, torch.ones(1).to(x), indexing='xy'), -1).squeeze(2)
    points = (cells.view(1, -1, 3) @ index2index.transpose(1, 2))[..., :2]
    last = points.new_tensor([width - 1, height - 1])
    points = (points / last * 2 - 1).view(-1, height, width, 2)
    return F.grid_sample(bev, points.to(bev), align_corners=True)
