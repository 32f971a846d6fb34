"""Check that the transforms of an info file agree with each other."""

from __future__ import annotations

import numpy as np

from ..findings import NotCheckedError, fault
from .case import Case
from .keyframes import Keyframe

# Rounding of global coordinates of kilometres to float32 is below 1 mm and 0.01 degrees.
_ANGLE, _DISTANCE = 0.5, 0.05  # degrees, metres


def check_calibration_chain(case: Case) -> str:
    """Compare lidar2cam with the chain LiDAR, ego, global, ego at the camera's time, camera.

    Raises:
        ConventionError: they differ.
        NotCheckedError: the file has one of the two only.
    """
    errors = [error for keyframe in case.keyframes for error in chain_errors(keyframe)]
    if not errors:
        raise NotCheckedError('the info file has no cam2ego and ego2global of the cameras')
    angle, distance, camera = max(errors, key=lambda e: max(e[0] / _ANGLE, e[1] / _DISTANCE))
    if angle > _ANGLE or distance > _DISTANCE:
        raise fault(
            'lidar2cam of the info file to equal lidar2ego, ego2global and cam2ego combined',
            f'{angle:.1f} degrees and {distance:.2f} m between them at {camera}',
            'one of these matrices is of another calibration or transposed; make the info file '
            'again',
        )
    return f'the transforms of the info file agree to {angle:.2f} degrees and {distance:.3f} m'


def chain_errors(keyframe: Keyframe) -> list[tuple[float, float, str]]:
    """(degrees, metres, camera) between the two transforms of each camera that has both."""
    found = []
    for camera in keyframe.cam_names:
        image = keyframe.info['images'][camera]
        if 'cam2ego' not in image or 'ego2global' not in image:
            continue
        given = np.array(image['lidar2cam'], dtype=np.float64)
        to_global = keyframe.info['ego2global'] @ keyframe.lidar2ego
        from_global = np.linalg.inv(np.array(image['ego2global']) @ np.array(image['cam2ego']))
        difference = given @ np.linalg.inv(from_global @ to_global)
        cosine = np.clip((np.trace(difference[:3, :3]) - 1) / 2, -1, 1)
        distance = float(np.linalg.norm(difference[:3, 3]))
        found.append((float(np.degrees(np.arccos(cosine))), distance, camera))
    return found
