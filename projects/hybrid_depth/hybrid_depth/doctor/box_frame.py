"""Check of the boxes' frame and centre, against LiDAR points or the ground."""

from __future__ import annotations

import numpy as np

from . import box_points
from .case import Case
from .findings import NotCheckedError, fault
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
    """Compare the points in boxes under the file's frame with those under others.

    Raises:
        ConventionError: another frame fits better; without LiDAR: the boxes are not on the ground.
        NotCheckedError: no boxes.
    """
    boxed = case.boxed
    swept = [keyframe for keyframe in boxed if keyframe.points is not None]
    given = box_points.fit(swept, box_points.as_written)
    fits = {name: box_points.fit(swept, reading) for name, reading in _READINGS.items()}
    best = max(fits, key=fits.get)
    if fits[best] > max(GAIN * given, _FEW):
        raise fault(
            'boxes in the LiDAR frame, centre at half the height',
            f'boxes that fit LiDAR points as if they were in {best} (fit {fits[best]:.0f}, as '
            f'written {given:.0f})',
            'transform bbox_3d of the instances to the LiDAR frame (inverse of lidar2ego)',
        )
    bottoms = np.concatenate(
        [moved(k.boxes[:, :3], k.lidar2ego)[:, 2] - k.boxes[:, 5] / 2 for k in boxed]
    )
    bottom = float(np.median(bottoms))
    if abs(bottom) > _ABOVE:
        raise fault(
            f'boxes that stand on the ground, z = 0 of the ego frame, within {_ABOVE:g} m',
            f'a median of {bottom:+.2f} m',
            'transform bbox_3d of the instances to the LiDAR frame (inverse of lidar2ego)',
        )
    if given < _FEW and swept:
        raise NotCheckedError('too few LiDAR points in boxes, which stand on the ground')
    compared = f'fit LiDAR points best as written ({given:.0f})' if swept else 'LiDAR not compared'
    return f'boxes stand on the ground ({bottom:+.2f} m), {compared}'
