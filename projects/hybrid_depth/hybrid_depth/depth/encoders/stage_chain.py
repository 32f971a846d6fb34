"""Convolutional towers that a cost volume enters between two stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class StageChain:
    """A convolutional tower as a chain of stages that give one map each.

    Attributes:
        prepare: images (B, 3, H, W), RGB in [0, 1] -> input of the first stage.
        stages: each takes the map before it and gives the next one.
        channels, strides: of the stages' maps.
    """

    prepare: Callable[[Tensor], Tensor]
    stages: Sequence[Callable[[Tensor], Tensor]]
    channels: Sequence[int]
    strides: Sequence[int]

    def index(self, stride: int) -> int:
        """Number of the stage whose map has this stride.

        Raises:
            ValueError: there is none, or it is the last.
        """
        if stride not in self.strides[:-1]:
            raise ValueError(
                f'expected the stride of a map before the last, {list(self.strides[:-1])}, got '
                f'{stride}'
            )
        return list(self.strides).index(stride)

    def begin(self, images: Tensor, last: int) -> list[Tensor]:
        """Images (B, 3, H, W) -> maps of the stages up to number `last`."""
        return self.go_on(self.prepare(images), self.stages[: last + 1])

    def finish(self, x: Tensor, last: int) -> list[Tensor]:
        """What takes the place of map `last` -> maps of the stages behind it."""
        return self.go_on(x, self.stages[last + 1 :])

    @staticmethod
    def go_on(x: Tensor, stages: Sequence[Callable[[Tensor], Tensor]]) -> list[Tensor]:
        """Maps of some stages, one after the other."""
        maps = []
        for stage in stages:
            x = stage(x)
            maps.append(x)
        return maps
