"""Another rig in the same toy world: higher, tilted or longer cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Lowest camera, metres above the ground.
_LOWEST = 0.3
_STANDARD_HEIGHT = 1.5


@dataclass(frozen=True)
class RigChange:
    """Change of all cameras of a layout's rig; LiDAR and vehicle stay.

    Attributes:
        height: metres that the cameras are raised by.
        pitch: degrees that the cameras are turned downward by, each about its own horizontal axis.
        focal: factor of the focal lengths; the image size and the principal point stay.

    Raises:
        ValueError: values are out of range.

    Example:
        >>> RigChange(height=0.5).cam2ego(np.eye(4))[:3, 3].tolist()
        [0.0, 0.0, 0.5]
    """

    height: float = 0.0
    pitch: float = 0.0
    focal: float = 1.0

    def __post_init__(self) -> None:
        if not (self.height + _STANDARD_HEIGHT >= _LOWEST and self.height <= 10):
            raise ValueError(
                f'expected cameras raised by {_LOWEST - _STANDARD_HEIGHT:g} to 10 m, got '
                f'{self.height:g}'
            )
        if not -45 <= self.pitch <= 45:
            raise ValueError(f'expected a pitch of -45 to 45 degrees, got {self.pitch:g}')
        if not 0.25 <= self.focal <= 4:
            raise ValueError(
                f'expected a factor of the focal length of 0.25 to 4, got {self.focal:g}'
            )

    def cam2ego(self, cam2ego: np.ndarray) -> np.ndarray:
        """(4, 4) pose of a camera (x right, y down, z forward) after the change."""
        changed = np.array(cam2ego, np.float64)
        angle = np.radians(self.pitch)
        cos, sin = np.cos(angle), np.sin(angle)
        changed[:3, :3] = changed[:3, :3] @ np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])
        changed[2, 3] += self.height
        return changed

    def cam2img(self, cam2img: np.ndarray) -> np.ndarray:
        """(3, 3) intrinsics of a camera after the change."""
        changed = np.array(cam2img, np.float64)
        changed[[0, 1], [0, 1]] *= self.focal
        return changed

    def quaternion(self, rotation: tuple[float, ...]) -> tuple[float, ...]:
        """Quaternion (w, x, y, z) of a camera's rotation after the change."""
        if self.pitch == 0:
            return rotation
        half = np.radians(-self.pitch) / 2  # about x
        w, x, y, z = rotation
        cos, sin = float(np.cos(half)), float(np.sin(half))
        return (w * cos - x * sin, w * sin + x * cos, y * cos + z * sin, z * cos - y * sin)


#: The rig of the layout as it is.
NO_CHANGE = RigChange()
