"""Checks of the boxes' yaw, and of their width and length."""

from __future__ import annotations

import numpy as np

from ..findings import NotCheckedError, fault
from . import box_points
from .box_frame import GAIN, better_frame
from .case import Case

_LONG = ('car', 'truck', 'bus', 'trailer', 'motorcycle', 'bicycle')
# Classes are 2.4 (car) to 4.2 (trailer) times as long as wide on average, see class_order.py.
_RATIO = 1.0
_FEW = 10.0  # of the fit: about ten boxes with a point or two
_MOVING = 1.0  # m/s; below, the direction of the velocity is noise
_SOME = 5  # moving boxes
# A mean cosine of heading and velocity: 1 for vehicles on their way, about 0 for a yaw that is
# mirrored or turned by 90 degrees.
_FORWARD = 0.5

# By whether length and width are exchanged, and whether the yaw is mirrored.
_READINGS = {
    (False, False): box_points.as_written,
    (True, False): box_points.turned,
    (False, True): box_points.mirrored,
    (True, True): box_points.mirrored_turned,
}
_WRONG = {
    (True, False): 'turned by 90 degrees',
    (False, True): 'clockwise',
    (True, True): 'clockwise and turned by 90 degrees',
}


def check_box_size(case: Case) -> str:
    """Compare length and width of vehicles.

    Raises:
        ConventionError: they are wider than long.
        NotCheckedError: no boxes of vehicles.
    """
    ratio = _ratio(case)
    if np.isnan(ratio):
        raise NotCheckedError(f'needs boxes of a class of {", ".join(_LONG)}')
    if ratio < _RATIO:
        raise fault(
            'bbox_3d of (x, y, z, length, width, height, yaw), vehicles longer than wide',
            f'a median of length / width of {ratio:.2f}',
            'exchange width and length (mmdet3d before 1.0 and the nuScenes tables have w, l, h)',
        )
    return f'vehicles are {ratio:.1f} times as long as wide'


def _ratio(case: Case) -> float:
    """Median length / width of vehicles; NaN without any."""
    labels = [place for place, name in enumerate(case.classes) if name in _LONG]
    boxes = np.concatenate([k.boxes[np.isin(k.labels, labels)] for k in case.boxed])
    return float(np.median(boxes[:, 3] / boxes[:, 4])) if len(boxes) else np.nan


def check_box_yaw(case: Case) -> str:
    """Compare the yaw with LiDAR points in the boxes, and with the velocities.

    Raises:
        ConventionError: another reading of the yaw fits better.
        NotCheckedError: neither LiDAR nor enough moving boxes.
    """
    advice = 'write the yaw counter-clockwise from the x axis of the LiDAR frame to the heading'
    expected = 'a yaw counter-clockwise from the x axis to the heading'
    done = []
    if better_frame(case)[0] is not None:
        raise NotCheckedError('the frame of the boxes comes first')
    swapped = _ratio(case) < _RATIO  # reported by check_box_size
    given = case.box_fit(_READINGS[swapped, False])
    fits = {
        wrong: case.box_fit(_READINGS[turn != swapped, mirror])
        for (turn, mirror), wrong in _WRONG.items()
    }
    best = max(fits, key=fits.get)
    if fits[best] > max(GAIN * given, _FEW):
        raise fault(expected, f'boxes that fit LiDAR points with a yaw {best}', advice)
    if given >= _FEW:
        done.append(f'fits LiDAR points better than other readings ({given:.0f})')
    cosines = np.concatenate([_forward(k.boxes, k.velocities) for k in case.boxed])
    if len(cosines) >= _SOME:
        mean = float(cosines.mean())
        if mean < _FORWARD:
            way = 'opposite to' if mean < -_FORWARD else 'across'
            got = f'boxes that move {way} their heading (mean cosine {mean:.2f})'
            raise fault(expected, got, advice)
        done.append(f'{len(cosines)} boxes move along their heading')
    if not done:
        raise NotCheckedError('needs LiDAR points in boxes, or moving boxes')
    return ', '.join(done)


def _forward(boxes: np.ndarray, velocities: np.ndarray) -> np.ndarray:
    """Cosines between heading and velocity of moving boxes."""
    speed = np.linalg.norm(velocities, axis=1)
    moving = speed > _MOVING
    heading = np.stack([np.cos(boxes[moving, 6]), np.sin(boxes[moving, 6])], 1)
    return (heading * velocities[moving]).sum(1) / speed[moving]
