"""What a layout is: the way in which a toy world is written to disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from .world import World


class Layout(Protocol):
    """Writes a world frame by frame, in any order and by several processes, then the rest.

    Attributes:
        default_size: width and height of the images, pixels.
        frames_per_keyframe: frames that are written for every half second.
    """

    default_size: tuple[int, int]
    frames_per_keyframe: int

    @staticmethod
    def check(world: World) -> None:
        """Refuses, with a ValueError, worlds that the layout cannot hold."""

    @staticmethod
    def render(root: Path, world: World, index: int, frame: int) -> Any:
        """Writes frame ``frame`` of scene ``index`` below ``root``; returns what finish needs."""

    @staticmethod
    def finish(root: Path, world: World, results: list[list]) -> None:
        """Writes what is left; ``results`` are those of render by scene and frame."""
