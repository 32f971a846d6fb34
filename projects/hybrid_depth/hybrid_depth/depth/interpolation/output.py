"""Output of frame interpolation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from ...geometry.flow import warp_by_flow


@dataclass(frozen=True)
class Interpolation:
    """A time between two frames, as flows to them and the share of each.

    Attributes:
        first, second: (B, 3, H, W) the frames, RGB in [0, 1].
        flow_first, flow_second: (B, 2, H, W) from the time to the frames, x and y in pixels.
        mask: (B, 1, H, W) share of the first frame, in (0, 1).
    """

    first: Tensor
    second: Tensor
    flow_first: Tensor
    flow_second: Tensor
    mask: Tensor

    @cached_property
    def merged(self) -> Tensor:
        """(B, 3, H, W) the frames warped to the time and merged; may leave [0, 1] by rounding."""
        first = warp_by_flow(self.first, self.flow_first)
        return self.mask * first + (1 - self.mask) * warp_by_flow(self.second, self.flow_second)

    @property
    def image(self) -> Tensor:
        """(B, 3, H, W) image at the time, in [0, 1]."""
        return self.merged.clamp(0, 1)
