"""Check of the ego frame: the ground at z = 0, and driving along x."""

from __future__ import annotations

import numpy as np

from ..findings import fault
from ..geometry.ground_points import fit_ground
from .case import Case
from .keyframes import Keyframe

# The cross slope of a road and the pitch of a car stay below 3 degrees, the height of the ground
# within 0.1 m; on a real nuScenes keyframe it is 0.2 degrees and less than 0.01 m off.
_TILT, _HEIGHT = 3.0, 0.3
_TURNED = 15.0  # degrees; the chord of half a second of a sharp turn is 6 degrees off
_MOVED = 1.0  # metres; positions are exact to centimetres


def check_ego_frame(case: Case) -> str:
    """Fit the ground to LiDAR points of every keyframe; compare motion with the x axis.

    Raises:
        ConventionError: the median ground is tilted or not at z = 0; the vehicle moves sideways.
        NotCheckedError: no LiDAR.
    """
    planes = np.array([ground_plane(keyframe) for keyframe in case.swept])
    tilt, height = np.median(planes, 0)
    if tilt > _TILT or abs(height) > _HEIGHT:
        raise fault(
            f'the ground of LiDAR points at z = 0 of the ego frame, within {_TILT:g} degrees and '
            f'{_HEIGHT:g} m',
            f'{tilt:.1f} degrees and {height:+.2f} m',
            'check lidar2ego: its rotation, and an ego frame whose origin is on the ground',
        )
    text = f'ground within {tilt:.1f} degrees and {abs(height):.2f} m of z = 0'
    headings = [angle for keyframe in case.keyframes for angle in driving_headings(case, keyframe)]
    if headings:
        heading = float(np.degrees(np.angle(np.exp(1j * np.radians(headings)).mean())))
        if abs(heading) > _TURNED:
            raise fault(
                'the vehicle to move along the x axis of the ego frame',
                f'a motion towards {heading:.0f} degrees',
                'check ego2global and the axes of the ego frame (x forward, y left, z up)',
            )
        text += f', motion within {abs(heading):.0f} degrees of x'
    return text


def ground_plane(keyframe: Keyframe) -> tuple[float, float]:
    """Tilt in degrees and height at the origin in metres of the ground, see `fit_ground`."""
    return fit_ground(keyframe.ego_points, keyframe.lidar2ego[:3, 3])


def driving_headings(case: Case, keyframe: Keyframe) -> list[float]:
    """Direction of the motion to the next keyframe in the ego frame, degrees; empty if unknown."""
    after = keyframe.info.get('next')
    for dataset in case.datasets.values() if after else ():
        later = dataset.find(after) if hasattr(dataset, 'cameras') else {}
        if not later:
            continue
        start = keyframe.info['ego2global']
        motion = start[:3, :3].T @ (later['ego2global'][:3, 3] - start[:3, 3])
        if np.hypot(*motion[:2]) > _MOVED:
            return [float(np.degrees(np.arctan2(motion[1], motion[0])))]
        return []
    return []
