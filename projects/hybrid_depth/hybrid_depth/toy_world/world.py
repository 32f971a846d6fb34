"""Parameters of a toy world."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from .population import make_scene
from .rig_change import NO_CHANGE, RigChange
from .scene import Scene
from .textures import with_textures

#: Keyframes are at 2 Hz; layouts with more frames add them in between.
KEYFRAME_SECONDS = 0.5


@dataclass(frozen=True)
class World:
    """Parameters of a toy world. Scenes depend on the seed and the number of keyframes only.

    Attributes:
        scenes: number of scenes; the last two of six and more, else the last one, are held out.
        keyframes: keyframes per scene, half a second each.
        size: width and height of the images, pixels.
        seed: seed of all random choices.
        sweeps: camera images between two keyframes, evenly spaced; nuScenes has 5. The KITTI
            layout is video in any case.
        rig: change of the cameras; the scenes are the same with any rig.
        textures: seed of other colours and patterns of the same scenes, 0 for the standard ones;
            see `with_textures`.

    Raises:
        ValueError: values are out of range.
    """

    scenes: int
    keyframes: int
    size: tuple[int, int]
    seed: int
    sweeps: int = 0
    rig: RigChange = NO_CHANGE
    textures: int = 0

    def __post_init__(self) -> None:
        if self.scenes < 2 or self.keyframes < 1:
            raise ValueError(
                'expected two scenes or more (one is held out) with at least one keyframe each, '
                f'got {self.scenes} scenes with {self.keyframes} keyframes'
            )
        if min(self.size) < 32:
            raise ValueError(
                f'expected an image of at least 32 x 32 pixels, got {self.size[0]} x {self.size[1]}'
            )
        if self.sweeps < 0:
            raise ValueError(f'expected sweeps of 0 or more, got {self.sweeps}')
        if min(self.seed, self.textures) < 0:
            raise ValueError(
                f'expected a seed of 0 or more, got {self.seed}, and textures {self.textures}'
            )

    def scene(self, index: int) -> Scene:
        """Scene ``index``; recent scenes are cached."""
        return _scene(self.seed, index, self.keyframes * KEYFRAME_SECONDS, self.textures)

    @property
    def training_scenes(self) -> int:
        """Number of training scenes; the scenes after them are held out."""
        return self.scenes - (2 if self.scenes >= 6 else 1)


@lru_cache(maxsize=2)
def _scene(seed: int, index: int, duration: float, textures: int) -> Scene:
    return with_textures(make_scene(seed, index, duration), textures)
