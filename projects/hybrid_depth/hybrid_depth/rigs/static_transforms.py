"""Mountings from static transforms of ROS, exported as YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .errors import RigError
from .fields import read_yaml
from .mounting import rotation_of


def read_transforms(path: Path) -> dict[str, tuple[str, np.ndarray]]:
    """Static transforms of a file: {frame: (parent frame, (4, 4) frame to parent)}.

    The file has a list `transforms`, as `ros2 topic echo /tf_static` prints it: `header.frame_id`,
    `child_frame_id`, and `transform` with `translation` (x, y, z) and `rotation` (x, y, z, w).

    Raises:
        FileNotFoundError: no such file.
        DamagedFileError: not YAML.
        RigError: a transform without one of these fields.
        DepthDataError: not a rotation.
    """
    found = {}
    for place, item in enumerate(read_yaml(path).get('transforms') or ()):
        where = f'{path}, transform {place}'
        try:
            parent, child = item['header']['frame_id'], item['child_frame_id']
            translation, rotation = item['transform']['translation'], item['transform']['rotation']
            position = [float(translation[axis]) for axis in 'xyz']
            quaternion = np.array([float(rotation[axis]) for axis in 'wxyz'])
        except (KeyError, TypeError, ValueError) as error:
            raise RigError(
                f'{where}: expected header.frame_id, child_frame_id and transform with translation '
                f'(x, y, z) and rotation (x, y, z, w), got none or another ({error!r})'
            ) from error
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = rotation_of(quaternion, where), position
        found[_plain(child)] = (_plain(parent), pose)
    return found


def pose_in(
    transforms: Mapping[str, tuple[str, np.ndarray]], frame: Any, vehicle: Any, where: str
) -> np.ndarray:
    """(4, 4) pose of a frame in that of the vehicle.

    Raises:
        RigError: they are not connected.
    """

    def chain(name: str) -> dict[str, np.ndarray]:
        """Poses of the frame in all frames above it."""
        found, pose = {name: np.eye(4)}, np.eye(4)
        while name in transforms:
            name, step = transforms[name]
            if name in found:
                raise RigError(f'{where}: expected a tree of frames, got a ring through {name}')
            pose = step @ pose
            found[name] = pose
        return found

    above, below = chain(_plain(frame)), chain(_plain(vehicle))
    common = next((name for name in above if name in below), None)
    if common is None:
        raise RigError(
            f'{where}: expected transforms between {frame} and {vehicle}, got frames '
            f'{", ".join(sorted({*transforms, *(p for p, _ in transforms.values())}))}'
        )
    return np.linalg.inv(below[common]) @ above[common]


def _plain(frame: Any) -> str:
    return str(frame).lstrip('/')
