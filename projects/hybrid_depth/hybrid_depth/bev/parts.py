"""Data structures and protocol of the detector's parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mmdet3d.structures import Det3DDataSample
from torch import Tensor, nn

from ..geometry import CameraRig, DepthBins, VoxelGrid
from .depth_nets.base import DepthDistribution


@dataclass(frozen=True)
class BEVSpace:
    """Discretisation of a lift, shared by all parts of a detector.

    Args:
        grid: voxels of the BEV map, ego frame.
        bins: depth bins of the depth net.
        image_size: (H, W) of the network image.
        channels: channels C of a voxel.
    """

    grid: VoxelGrid
    bins: DepthBins
    image_size: tuple[int, int]
    channels: int

    def to_voxels(self, bev: Tensor) -> Tensor:
        """(B, Z * C, Y, X) -> (B, C, Z, Y, X)."""
        return bev.unflatten(1, (self.grid.size[2], -1)).transpose(1, 2)

    def to_bev(self, voxels: Tensor) -> Tensor:
        """(B, C, Z, Y, X) -> (B, Z * C, Y, X)."""
        return voxels.transpose(1, 2).flatten(1, 2)


@dataclass(frozen=True)
class Frame:
    """Images of one time per sample of a batch, to be lifted.

    Args:
        images: (B, N, 3, H, W) RGB in [0, 1].
        rig: B x N cameras.
        names: per sample, unique in the data set; None for samples without a token.
        lift_rig: the same cameras relative to another target ego frame; None for ``rig``.
        physics_depth: (B, N, H, W) embodied depth of the images, metres, 0 = none; None without.
    """

    images: Tensor
    rig: CameraRig
    names: Sequence[str | None] = ()
    lift_rig: CameraRig | None = None
    physics_depth: Tensor | None = None

    @classmethod
    def of(cls, inputs: dict, samples: Sequence[Det3DDataSample] | None) -> Frame:
        """Key frame of the inputs of ``BEVDataPreprocessor``."""
        names = [sample.metainfo.get('token') for sample in samples or ()]
        depth = inputs.get('physics_depth')
        return cls(inputs['imgs'], inputs['rig'], names, physics_depth=depth)


Lift = Callable[[Frame], tuple[Tensor, DepthDistribution]]


class Part(Protocol):
    """Protocol of parts between lift and BEV encoder, built with the detector's ``BEVSpace``.

    Attributes:
        modules: networks by the names under which the detector registers them. A part is not a
            module, so checkpoint keys do not depend on the grouping into parts.
    """

    modules: dict[str, nn.Module]
