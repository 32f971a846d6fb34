"""Warps of BEV maps to another ego frame."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .affine import invert_affine
from .voxel_grid import VoxelGrid

_ALIGNS = ('centres', 'corners')


def _check(found: tuple[int, ...], expected: tuple[int, ...], align: str) -> None:
    if align not in _ALIGNS:
        raise ValueError(f"BEV warp: align must be 'centres' or 'corners', got {align!r}")
    if tuple(found) != expected:
        raise ValueError(f'BEV warp: expected a map of {expected} cells, got {tuple(found)}')


def warp_volume(
    volume: Tensor, target2source: Tensor, grid: VoxelGrid, align: str = 'centres'
) -> Tensor:
    """Warp of a BEV voxel volume to another ego frame; zero outside the source volume.

    Volumes of several cells in z are moved in 3-D; those of one cell by heading, x and y only, see
    ``warp_bev``.

    Args:
        volume: (B, C, Z, Y, X) over ``grid`` of the source frame.
        target2source: (B, 4, 4) points of the target frame to the source frame, metres.
        grid: voxel grid of both frames.
        align: see ``warp_bev``; FB-OCC uses ``corners``.

    Returns:
        (B, C, Z, Y, X) in the target frame.

    Raises:
        ValueError: the volume does not have the grid's size, or the alignment is unknown.
    """
    width, height, levels = grid.size
    _check(volume.shape[-3:], (levels, height, width), align)
    if levels == 1:
        return warp_bev(volume.squeeze(2), target2source, grid, align).unsqueeze(2)
    return _sample(volume, volume_sampling_grid(target2source, grid, align))


def volume_sampling_grid(target2source: Tensor, grid: VoxelGrid, align: str = 'centres') -> Tensor:
    """Sampling points of ``warp_volume`` in the source frame.

    Args:
        target2source, grid, align: see ``warp_volume``.

    Returns:
        (B, Z, Y, X, 3) x, y, z in [-1, 1] from the first to the last cell.
    """
    width, height, levels = grid.size
    shift = 0.5 if align == 'centres' else 0.0
    axes = (grid.x, grid.y, grid.z)
    lower = target2source.new_tensor([axis[0] + shift * axis[2] for axis in axes])
    step = target2source.new_tensor([axis[2] for axis in axes])
    z, y, x = torch.meshgrid(*(torch.arange(n) for n in (levels, height, width)), indexing='ij')
    cells = torch.stack((x, y, z), -1).to(target2source).view(1, -1, 3) * step + lower
    points = cells @ target2source[:, :3, :3].transpose(1, 2) + target2source[:, None, :3, 3]
    last = lower.new_tensor([width - 1, height - 1, levels - 1])
    return ((points - lower) / step / last * 2 - 1).view(-1, levels, height, width, 3)


def warp_bev(bev: Tensor, target2source: Tensor, grid: VoxelGrid, align: str = 'centres') -> Tensor:
    """Warp of a BEV map to another ego frame; zero outside the source map.

    Only the planar motion (heading, x, y) is applied; pitch, roll and z are ignored.

    Args:
        bev: (B, C, Y, X) over ``grid`` of the source frame.
        target2source: (B, 4, 4) points of the target frame to the source frame, metres.
        grid: voxel grid of both frames.
        align: ``centres``, or ``corners`` for official BEVDet4D weights, which place a cell's value
            at its lower edge (docs/reference/bevdet.md, "Warping of BEV maps").

    Returns:
        (B, C, Y, X) in the target frame.

    Raises:
        ValueError: the map does not have the grid's size, or the alignment is unknown.

    Example:
        >>> grid = VoxelGrid(x=(0.0, 3.0, 1.0), y=(0.0, 2.0, 1.0), z=(-5.0, 3.0, 8.0))
        >>> bev = torch.tensor([[[[1.0, 2, 3], [4, 5, 6]]]])
        >>> forward = torch.eye(4)[None].clone()
        >>> forward[0, 0, 3] = 1.0  # the target frame lies 1 m ahead of the map's
        >>> warp_bev(bev, forward, grid).round(decimals=3).tolist()
        [[[[2.0, 3.0, 0.0], [5.0, 6.0, 0.0]]]]
    """
    width, height, _ = grid.size
    _check(bev.shape[-2:], (height, width), align)
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
    return _sample(bev, points)


def _sample(maps: Tensor, points: Tensor) -> Tensor:
    """Bilinear sampling in float32 or float64: float16 is off by half a cell on a 128-cell map."""
    with torch.autocast(maps.device.type, enabled=False):
        exact = torch.promote_types(maps.dtype, torch.float32)
        return F.grid_sample(maps.to(exact), points.to(exact), align_corners=True).to(maps)
