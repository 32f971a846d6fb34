"""The BEV voxel grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

ROUNDINGS = ('floor', 'trunc')


@dataclass(frozen=True)
class VoxelGrid:
    """Regular grid in the ego frame; maps over it are (B, C, Y, X).

    Layout: docs/reference/conventions.md, "BEV maps".

    Args:
        x, y, z: (lower, upper, step) metres.
        rounding: ``floor`` for new models. ``trunc`` (toward zero) also assigns points up to one
            cell below the lower bound to cell 0. Official BEVDet weights were trained with it; with
            their single 8 m cell in z it includes z in (-13, -5) m (docs/reference/bevdet.md,
            "Voxel pooling").

    Example:
        >>> grid = VoxelGrid(x=(-4.0, 4.0, 1.0), y=(-2.0, 2.0, 1.0), z=(-5.0, 3.0, 8.0))
        >>> grid.size
        (8, 4, 1)
        >>> points = torch.tensor([[[-3.5, -1.5, 0.0], [3.5, 1.5, 0.0], [4.5, 0.0, 0.0]]])
        >>> grid.ranks(points).tolist()
        [[0, 31, -1]]
    """

    x: tuple[float, float, float]
    y: tuple[float, float, float]
    z: tuple[float, float, float]
    rounding: str = 'floor'

    def __post_init__(self):
        if self.rounding not in ROUNDINGS:
            raise ValueError(
                f'VoxelGrid: rounding must be one of {ROUNDINGS}, got {self.rounding!r}'
            )
        for name in 'xyz':
            lower, upper, step = getattr(self, name)
            if not (lower < upper and step > 0):
                raise ValueError(
                    f'VoxelGrid.{name}: expected (lower, upper, step), got {getattr(self, name)}'
                )

    @property
    def size(self) -> tuple[int, int, int]:
        """(X, Y, Z) number of cells."""
        return tuple(int(round((hi - lo) / step)) for lo, hi, step in (self.x, self.y, self.z))

    @property
    def num_voxels(self) -> int:
        """Cells of one sample."""
        return math.prod(self.size)

    def centres(self) -> Tensor:
        """(Z, Y, X, 3) float32 cell centres, metres."""
        x, y, z = (
            lower + (torch.arange(count) + 0.5) * step
            for (lower, _, step), count in zip((self.x, self.y, self.z), self.size, strict=True)
        )
        z, y, x = torch.meshgrid(z, y, x, indexing='ij')
        return torch.stack((x, y, z), -1)

    def ranks(self, points: Tensor) -> Tensor:
        """Flat voxel index ``((b * Z + z) * Y + y) * X + x`` of points, int64, -1 outside.

        Args:
            points: (B, ..., 3) metres, ego frame.

        Returns:
            (B, ...) int64.
        """
        cells = []
        for coordinate, axis in zip(points.unbind(-1), (self.x, self.y, self.z), strict=True):
            # Filled on the device, where a copy would make the host wait; not numbers, by which
            # CUDA divides with another rounding.
            lower, step = (points.new_full((), axis[i]) for i in (0, 2))
            scaled = (coordinate - lower) / step
            cells.append((scaled.floor() if self.rounding == 'floor' else scaled).long())
        x, y, z = cells
        nx, ny, nz = self.size
        batch = torch.arange(len(points), device=points.device).view(-1, *[1] * (x.ndim - 1))
        rank = ((batch * nz + z) * ny + y) * nx + x
        inside = (x >= 0) & (x < nx) & (y >= 0) & (y < ny) & (z >= 0) & (z < nz)
        return rank.masked_fill(~inside, -1)
