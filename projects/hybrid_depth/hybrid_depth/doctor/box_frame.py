"""Check of the boxes' frame and centre, against LiDAR points or the ground."""

from __future__ import annotations

import numpy as np

from ..findings import NotCheckedError, fault
from . import box_points
from .case import Case
from .keyframes import moved

_READINGS = {
    'the ego frame': box_points.in_ego_frame,
    'the global frame': box_points.in_global_frame,
    'a frame that lidar2ego was applied to twice': box_points.twice_moved,
    'the LiDAR frame with z at the bottom of the box': box_points.from_bottom,
    'the LiDAR frame with z half a height too high': box_points.from_top,
}
#: Other readings have fewer points in the boxes than the right one (at most 0.94 of its fit on real
#: and toy keyframes), so any gain is a fault; 2 % are left for boxes that are not exact.
GAIN = 1.02
_FEW = 10.0  # of the fit: about ten boxes with a point or two
_ABOVE = 0.9  # metres; half of the height of a LiDAR on a car's roof


def check_box_frame(case: Case) -> str:
    """Compare the points in boxes under the file's frame with those under others; without LiDAR,
    the bottom of the boxes with the ground.

    Raises:
        ConventionError: another frame fits better; or the boxes are not on the ground.
        NotCheckedError: no boxes, or no points in them.
    """
    advice = 'transform bbox_3d of the instances to the LiDAR frame (inverse of lidar2ego)'
    if all(keyframe.points is None for keyframe in case.boxed):
        return _check_ground(case, advice)
    given = case.box_fit(box_points.as_written)
    other, better = better_frame(case)
    if other is not None:
        raise fault(
            'boxes in the LiDAR frame, centre at half the height',
            f'boxes that fit LiDAR points as if they were in {other} (fit {better:.0f}, as '
            f'written {given:.0f})',
            advice,
        )
    if given < _FEW:
        raise NotCheckedError('too few LiDAR points in boxes')
    return f'boxes fit LiDAR points better than in other frames ({given:.0f})'


def better_frame(case: Case) -> tuple[str | None, float]:
    """A frame in which the boxes fit LiDAR points better than as written, and its fit; None if
    there is none."""
    given = case.box_fit(box_points.as_written)
    fits = {name: case.box_fit(reading) for name, reading in _READINGS.items()}
    best = max(fits, key=fits.get)
    return (best if fits[best] > max(GAIN * given, _FEW) else None), fits[best]


def _check_ground(case: Case, advice: str) -> str:
    bottom = np.concatenate(
        [moved(k.boxes[:, :3], k.lidar2ego)[:, 2] - k.boxes[:, 5] / 2 for k in case.boxed]
    )
    middle = float(np.median(bottom))
    if abs(middle) > _ABOVE:
        raise fault(
            f'boxes that stand on the ground, z = 0 of the ego frame, within {_ABOVE:g} m',
            f'a median of {middle:+.2f} m',
            advice,
        )
    return f'boxes stand on the ground ({middle:+.2f} m); no LiDAR to compare'
