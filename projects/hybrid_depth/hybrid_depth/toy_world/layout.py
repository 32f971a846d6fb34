"""Protocol of layouts, the on-disk formats of a toy world."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from .world import World


class Layout(Protocol):
    """Writer of a toy world: frames in any order and by several processes, then the other files.

    Attributes:
        default_size: width and height of the images, pixels.
        frames_per_keyframe: frames per half second.
    """

    default_size: tuple[int, int]
    frames_per_keyframe: int

    @staticmethod
    def check(world: World) -> None:
        """Raises ValueError for worlds that the layout cannot represent."""

    @staticmethod
    def render(root: Path, world: World, index: int, frame: int) -> Any:
        """Writes frame ``frame`` of scene ``index`` below ``root``; returns input of `finish`."""

    @staticmethod
    def finish(root: Path, world: World, results: list[list]) -> None:
        """Writes all other files; ``results`` are those of `render`, by scene and frame."""
