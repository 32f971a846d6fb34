"""Check of the cameras' order: images, names and calibrations belong together."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..findings import NotCheckedError, fault
from .case import Case
from .keyframes import Keyframe
from .vehicle_overlap import VehicleOverlap

# Headings of the words in a name. Cameras at the corners are up to 30 degrees off the diagonal
# (nuScenes: 27); a vehicle turned by 45 degrees moves the front camera out of this range.
_HEADINGS = dict(FRONT=0.0, LEFT=90.0, RIGHT=-90.0, BACK=180.0, REAR=180.0)
_OFF = 40.0
# Gain of another order in units of the noise: two exchanged cameras of the real keyframe gain at
# least 4.5; the right order cannot be improved. In the other order all cameras must agree, 4.9 on
# average on that keyframe; the best order of wrong calibrations reaches 2.
_GAIN, _AGREED = 4.0, 2.5


def check_camera_order(case: Case) -> str:
    """Compare names with file names, headings of the calibration, and images with LiDAR.

    Raises:
        ConventionError: images or calibrations of cameras are exchanged.
    """
    for keyframe in case.keyframes:
        _check_paths(keyframe)
        _check_headings(keyframe)
    try:
        overlap = case.overlap
    except NotCheckedError as reason:
        return f'names, files and headings agree; images not compared: {reason}'
    if is_reordered(overlap):
        names, order = overlap.cam_names, overlap.best_order()
        pairs = [
            f'the image of {names[i]} fits the calibration of {names[j]}'
            for i, j in enumerate(order)
            if i != j
        ]
        raise fault(
            'images and calibrations in the same order of cameras',
            ', '.join(pairs),
            'check the camera names of the info file and the order of `cameras`',
        )
    return 'names, files, headings and images agree'


def is_reordered(overlap: VehicleOverlap) -> bool:
    """Whether the images agree better with LiDAR in another order of the calibrations."""
    order = overlap.best_order()
    reordered = overlap.exchanged[np.arange(len(order)), order]
    gain = np.nansum(reordered) - np.nansum(np.diag(overlap.exchanged))
    return bool(gain > _GAIN and np.nanmean(reordered) > _AGREED)


def _check_paths(keyframe: Keyframe) -> None:
    for name, path in zip(keyframe.cam_names, keyframe.img_path, strict=True):
        other = [part for part in Path(path).parts[:-1] if part in keyframe.cam_names]
        if other and other[-1] != name:
            raise fault(
                f'an image of {name} in a folder of that name',
                path,
                'check the camera names of the info file',
            )


def expected_heading(name: str) -> float | None:
    """Heading of a camera in degrees from its name, counter-clockwise from ahead; None if the name
    has none.

    Example:
        >>> expected_heading('CAM_FRONT_LEFT'), expected_heading('CAM_BACK'), expected_heading('c1')
        (45.0, 180.0, None)
    """
    angles = [np.radians(_HEADINGS[w]) for w in name.upper().split('_') if w in _HEADINGS]
    if not angles:
        return None
    return float(round(np.degrees(np.angle(np.exp(1j * np.array(angles)).sum())), 6))


def _check_headings(keyframe: Keyframe) -> None:
    for name, cam2ego in zip(keyframe.cam_names, keyframe.cam2ego, strict=True):
        expected = expected_heading(name)
        if expected is None:
            continue
        heading = np.degrees(np.arctan2(cam2ego[1, 2], cam2ego[0, 2]))
        off = abs((heading - expected + 180) % 360 - 180)
        if off > _OFF:
            raise fault(
                f'{name} to look towards {expected:.0f} degrees of the ego frame (x forward, y '
                f'left), within {_OFF:.0f}',
                f'{heading:.0f} degrees',
                'check the order of the cameras, the direction of cam2ego, and the axes of the ego '
                'frame',
            )
