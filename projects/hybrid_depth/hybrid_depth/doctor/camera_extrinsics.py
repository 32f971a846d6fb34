"""Check of the cameras' extrinsics: edges of LiDAR and images must coincide."""

from __future__ import annotations

import numpy as np

from ..findings import NotCheckedError, fault
from .camera_order import is_reordered
from .case import Case

# Agreements in units of the noise, see `VehicleOverlap`. Under a wrong calibration they are
# normally distributed, and their mean over six cameras is below 1.5; the right one has a mean of
# 4.9 on one real keyframe and of at least 4.9 on toy keyframes.
_VEHICLE = 2.5
# Of one camera under the right calibration: at least 2.1 on the real keyframe. The best of some
# 400 wrong rotations reaches 4, rarely 6.
_CAMERA, _PEAK = 2.0, 6.0


def check_extrinsics(case: Case) -> str:
    """Mean agreement of LiDAR and images; errors from about 1 degree of heading are seen.

    Raises:
        ConventionError: the images agree with other rotations of the cameras, or with none.
        NotCheckedError: no LiDAR, few edges, or another order of the cameras.
    """
    overlap = case.overlap
    if is_reordered(overlap):
        raise NotCheckedError('the order of the cameras comes first')
    given = overlap.scores[:, 0]
    best = np.nanargmax(np.nan_to_num(overlap.scores, nan=-np.inf), 1)
    peaks = overlap.scores[np.arange(len(best)), best]
    turned = [
        f'{name} {overlap.names[rotation]}'
        for name, score, rotation, peak in zip(overlap.cam_names, given, best, peaks, strict=True)
        if score < _CAMERA and peak > _PEAK
    ]
    mean = np.nanmean(given)
    if turned or mean < _VEHICLE:
        got = f'an agreement of {mean:.1f} times the noise on average'
        if turned:
            got += f'; the images fit LiDAR with {", ".join(turned)}'
        raise fault(
            'edges of LiDAR and of the images to coincide',
            got,
            'check cam2ego (lidar2cam of info files): direction of the transform, axes, quaternion '
            'order (w, x, y, z), degrees or radians',
        )
    return f'edges of LiDAR and images agree, {mean:.1f} times the noise on average'
