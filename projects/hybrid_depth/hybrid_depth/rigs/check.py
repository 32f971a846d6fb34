"""Checks of an imported vehicle: what its calibration says, and what looks wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from ..calibration_checks import field_of_view
from ..findings import Finding, NotCheckedError, examine, fault
from ..geometry.ground_points import fit_ground
from .headings import fit_heading
from .views import RigData, View

_LOWEST, _HIGHEST = 0.2, 5.0  # metres, cameras of vehicles
_ROLL, _PITCH = 20.0, 65.0  # degrees
_SQUARE = 0.05  # of the focal lengths
_SIDES = dict(front=0, nose=0, rear=180, back=180, tail=180, left=90, right=-90)
_OFF_SIDE = 80.0  # degrees from the side in a camera's name
_TURNED, _MOVED = 15.0, 0.5  # degrees and metres, see doctor.ego_frame
_TILT, _GROUND = 3.0, 0.3  # degrees and metres of the ground of LiDAR points
_LIFTED = 1.0  # metres, bottoms of boxes off the ground
_SPARSE = 0.3  # share of near boxes with LiDAR points, or in an image
_NEAR = 30.0  # metres
_NEAREST = 100.0  # metres, of the nearest of all boxes
_BETTER = 1.3  # times the corners that agree with a turned mounting


def check_infos(infos: str | Path, root: str | Path | None = None) -> Iterator[Finding]:
    """Results of all checks of an info file, one by one; errors as of `RigData`."""
    data = RigData(infos, root)
    checks: list[tuple[str, Callable[[RigData], str]]] = [
        (f'camera {name}', partial(check_camera_pose, camera=place))
        for place, name in enumerate(data.cameras)
    ]
    checks += [
        ('layout', check_layout),
        ('images', check_images),
        ('times', check_times),
        ('vehicle axes', check_vehicle_axes),
    ]
    checks += [
        (f'heading of {name}', partial(check_heading, camera=place))
        for place, name in enumerate(data.cameras)
    ]
    checks += [
        ('LiDAR', check_lidar),
        ('boxes', check_boxes_on_ground),
        ('box headings', check_box_headings),
    ]
    yield from examine(checks, data)


def mounting_angles(view: View) -> tuple[float, float, float]:
    """Heading (to the left of x), pitch (downwards) and roll (clockwise as seen) of a camera on the
    vehicle, degrees."""
    right, down, ahead = view.cam2ego[:3, :3].T
    heading = np.degrees(np.arctan2(ahead[1], ahead[0]))
    pitch = np.degrees(np.arcsin(np.clip(-ahead[2], -1, 1)))
    roll = np.degrees(np.arctan2(-right[2], -down[2]))
    return float(heading), float(pitch), float(roll)


def check_camera_pose(data: RigData, camera: int) -> str:
    """Angle of view, height and angles of one camera.

    Raises:
        ConventionError: they are not those of a camera on a vehicle.
    """
    view = data.sample(0).views[camera]
    wide, high = field_of_view(view.cam2img, view.size)
    heading, pitch, roll = mounting_angles(view)
    height, (fx, fy) = view.cam2ego[2, 3], np.diag(view.cam2img)[:2]
    text = (
        f'{view.size[0]}x{view.size[1]}, {wide:.0f}x{high:.0f} degrees, height {height:.2f} m, '
        f'pitch {pitch:.1f} down, heading {heading:.0f} left, roll {roll:.1f}'
    )
    if abs(fx / fy - 1) > _SQUARE:
        raise fault(
            f'focal lengths within {_SQUARE:.0%} of each other',
            f'fx {fx:g} and fy {fy:g}',
            'are width and height swapped, or were the images resized in one direction? Give '
            'size: of the calibration',
        )
    if not _LOWEST <= height <= _HIGHEST:
        raise fault(
            f'a camera {_LOWEST:g} to {_HIGHEST:g} m above the ground',
            f'{height:g} m ({text})',
            'give position in metres, and ground: the z of the road in the frame of the positions',
        )
    if abs(roll) > _ROLL or abs(pitch) > _PITCH:
        near = next((a for a in (45, 90, 135, 180) if abs(abs(roll) - a) < 8), None)
        raise fault(
            'an upright camera that looks at the surroundings',
            f'{text}{f", about {near} degrees" if near else ""}',
            'is axes: camera (x right, y down, z forward) or ros (x forward, y left, z up)? Is the '
            'pose sensor to vehicle, the quaternion w x y z, rpy in degrees?',
        )
    return text


def check_layout(data: RigData) -> str:
    """Sides in the cameras' names, equal poses, and the view around the vehicle.

    Raises:
        ConventionError: a camera looks to another side than its name says, or two are equal.
    """
    views = data.sample(0).views
    wrong = []
    for view in views:
        sides = [side for side in _SIDES if side in view.name.lower()]
        heading = mounting_angles(view)[0]
        if len(sides) == 1 and abs(_wrapped(heading - _SIDES[sides[0]])) > _OFF_SIDE:
            wrong.append(f'{view.name} {heading:.0f} degrees to the left')
    if wrong:
        raise fault(
            'cameras that look to the side in their name (x forward, y left)',
            ', '.join(wrong),
            'is y of the vehicle right instead of left (a left-handed or z-down frame), or are '
            'two cameras exchanged?',
        )
    for place, view in enumerate(views):
        for other in views[:place]:
            turn = view.cam2ego[:3, :3].T @ other.cam2ego[:3, :3]
            angle = np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
            if angle < 1 and np.allclose(view.cam2ego[:3, 3], other.cam2ego[:3, 3], atol=0.01):
                raise fault(
                    'another pose of every camera',
                    f'equal poses of {other.name} and {view.name}',
                    'correct position and rotation of one',
                )
    seen = np.array([_sees(view) for view in views])
    overlaps = [
        f'{views[j].name}-{views[i].name} {(seen[i] & seen[j]).sum()}'
        for i in range(len(views))
        for j in range(i)
        if (seen[i] & seen[j]).any()
    ]
    text = f'{seen.any(0).sum()} of 360 degrees seen'
    return text + (f', degrees of overlap: {", ".join(overlaps)}' if overlaps else ', no overlap')


def _sees(view: View) -> np.ndarray:
    """(360,) headings, in degrees, in the horizontal field of view of a camera."""
    left, right = border_headings(view)
    return (np.arange(360) - right) % 360 <= (left - right) % 360


def border_headings(view: View) -> tuple[float, float]:
    """Headings of the left and right border of a camera's image, degrees to the left of x."""
    columns = np.array([[0.0, view.cam2img[1, 2], 1], [view.size[0] - 1.0, view.cam2img[1, 2], 1]])
    rays = columns @ np.linalg.inv(view.cam2img).T @ view.cam2ego[:3, :3].T
    left, right = np.degrees(np.arctan2(rays[:, 1], rays[:, 0]))
    return float(left), float(right)


def _wrapped(angle: float) -> float:
    return (angle + 180) % 360 - 180


def check_images(data: RigData) -> str:
    """Images exist."""
    missing = [
        view.path for sample in data.samples for view in sample.views if not view.path.is_file()
    ]
    if missing:
        raise fault(
            'all images on disk',
            f'{len(missing)} missing, first {missing[0]}',
            'give --root, or import again',
        )
    return f'{len(data)} samples of {len(data.cameras)} cameras, all images on disk'


def check_times(data: RigData) -> str:
    """Rate of the samples, gaps, and delays of the images.

    Raises:
        ConventionError: images of a camera are further from their sample than half of its step.
    """
    samples = data.samples
    steps = np.array(
        [b.time - a.time for a, b in zip(samples, samples[1:], strict=False) if a.drive == b.drive]
    )
    if not len(steps):
        raise NotCheckedError('needs two samples of a drive')
    step = float(np.median(steps))
    delays = np.array([[view.time - s.time for view in s.views] for s in samples])
    worst = int(np.abs(delays).max(0).argmax())
    far = float(np.abs(delays[:, worst]).max())
    if far > 0.5 * step:
        raise fault(
            f'images within half of the step between samples ({step:.3g} s)',
            f'{data.cameras[worst]} {far:.3g} s away',
            'check times:, or give a smaller tolerance:',
        )
    gaps = int((steps > 1.6 * step).sum())
    return f'{step:.3g} s between samples, {gaps} gaps; images within {far:.3g} s of their sample'


def check_vehicle_axes(data: RigData) -> str:
    """Direction and speed of the motion in the vehicle's frame.

    Raises:
        ConventionError: the vehicle does not move along x.
        NotCheckedError: no poses, or no motion.
    """
    headings, speeds = [], []
    for first, second in zip(data.samples, data.samples[1:], strict=False):
        # the chord of a curve lies between both headings
        motion = second.ego2global[:3, 3] - first.ego2global[:3, 3]
        ahead = first.ego2global[:3, 0] + second.ego2global[:3, 0]
        if first.drive == second.drive and np.hypot(*motion[:2]) > _MOVED:
            headings.append(np.arctan2(motion[1], motion[0]) - np.arctan2(ahead[1], ahead[0]))
            speeds.append(np.linalg.norm(motion) / (second.time - first.time))
    if not headings:
        raise NotCheckedError('needs poses of a vehicle that drives')
    heading = float(np.degrees(np.angle(np.exp(1j * np.array(headings)).mean())))
    if abs(heading) > _TURNED:
        raise fault(
            'the vehicle to move along its x axis',
            f'a motion towards {heading:.0f} degrees',
            'check the axes of the poses (x forward, y left, z up), the order of the quaternion, '
            'and whether they are poses of a camera (of: CAMERA)',
        )
    return f'motion within {abs(heading):.1f} degrees of x, {np.median(speeds):.1f} m/s'


def check_heading(data: RigData, camera: int) -> str:
    """The flow in the images fits the motion of the vehicle and the mounting of a camera.

    Raises:
        ConventionError: it fits another heading of the camera.
        NotCheckedError: no motion, or few corners.
    """
    if not all(sample.views[camera].path.is_file() for sample in data.samples):
        raise NotCheckedError('needs the images')
    found = fit_heading(data.samples, camera)
    if found is None:
        raise NotCheckedError('needs poses of a vehicle that drives, and corners in the images')
    text = f'{found.share:.0%} of {found.corners} corners agree with the motion of the vehicle'
    if found.best and found.agreeing.max() > _BETTER * found.agreeing[found.turns.index(0)]:
        raise fault(
            'the flow in the images to fit the mounting of the camera',
            f'{text}, and {found.best_share:.0%} if it is turned by {found.best} degrees to the '
            'left',
            'check its rotation, and the poses of the vehicle',
        )
    return text


def check_lidar(data: RigData) -> str:
    """The ground of LiDAR points is z = 0 of the vehicle's frame.

    Raises:
        ConventionError: it is not.
        NotCheckedError: no LiDAR.
    """
    planes = []
    for sample in data.samples:
        points = sample.points()
        if points is not None:
            origin = sample.lidar[2][:3, 3] + (0, 0, 1.0)
            planes.append(fit_ground(points, origin))
    if not planes:
        raise NotCheckedError('no LiDAR')
    tilt, height = np.median(planes, 0)
    if tilt > _TILT or abs(height) > _GROUND:
        raise fault(
            f'the ground of LiDAR points at z = 0, within {_TILT:g} degrees and {_GROUND:g} m',
            f'{tilt:.1f} degrees and {height:+.2f} m',
            f'set ground: to {height:+.2f} more than it is (in the frame of the positions); for a '
            'tilt check the rotation of the LiDAR',
        )
    return f'ground within {tilt:.1f} degrees and {abs(height):.2f} m of z = 0'


def check_boxes_on_ground(data: RigData) -> str:
    """Boxes stand on the ground, are seen by cameras, and have LiDAR points.

    Raises:
        ConventionError: most do not.
        NotCheckedError: no boxes.
    """
    bottoms, seen, hit, nearest = [], [], [], np.inf
    for sample in data.samples:
        distance = np.linalg.norm(sample.boxes[:, :2], axis=1)
        nearest = min(nearest, *distance, np.inf)
        near = sample.boxes[distance < _NEAR]
        bottoms += (near[:, 2] - near[:, 5] / 2).tolist()
        seen += np.any([_inside(view, near[:, :3]) for view in sample.views], 0).tolist()
        points = sample.points()
        if points is not None:
            hit += [_has_points(points, box) for box in near]
    if _NEAREST < nearest < np.inf:
        raise fault(
            'boxes around the vehicle',
            f'none nearer than {nearest:.0f} m',
            'check frame: of the boxes (vehicle or world), and the axes of poses and boxes (x '
            'forward, y left, z up; right-handed)',
        )
    if not bottoms:
        raise NotCheckedError(f'no boxes within {_NEAR:g} m')
    bottom, in_view = float(np.median(bottoms)), float(np.mean(seen))
    text = f'{len(bottoms)} boxes within {_NEAR:g} m: bottoms at {bottom:+.2f} m (median), '
    text += f'{in_view:.0%} in an image' + (
        f', {np.mean(hit):.0%} with LiDAR points' if hit else ''
    )
    if abs(bottom) > _LIFTED:
        raise fault(
            'boxes that stand on the ground',
            text,
            'z is that of the centre; check frame: (vehicle or world) and ground:',
        )
    if in_view < _SPARSE or (hit and np.mean(hit) < _SPARSE):
        raise fault(
            'boxes that sensors see', text, 'check frame: and times of boxes, x forward, y left'
        )
    return text


def _inside(view: View, centres: np.ndarray) -> np.ndarray:
    pixels = centres @ view.ego2img[:, :3].T + view.ego2img[:, 3]
    depth = np.maximum(pixels[:, 2], 1e-6)
    u, v = pixels[:, 0] / depth, pixels[:, 1] / depth
    return (pixels[:, 2] > 0) & (u >= 0) & (v >= 0) & (u < view.size[0]) & (v < view.size[1])


def _has_points(points: np.ndarray, box: np.ndarray) -> bool:
    offset = points - box[:3]
    cos, sin = np.cos(box[6]), np.sin(box[6])
    along = offset[:, 0] * cos + offset[:, 1] * sin
    across = offset[:, 1] * cos - offset[:, 0] * sin
    inside = np.abs(np.stack([along, across, offset[:, 2]], 1)) < box[3:6] / 2
    return bool(inside.all(1).any())


def check_box_headings(data: RigData) -> str:
    """Moving boxes move along their heading.

    Raises:
        ConventionError: the median angle is larger than 20 degrees.
        NotCheckedError: few moving boxes.
    """
    angles = []
    for sample in data.samples:
        moving = np.linalg.norm(sample.velocities, axis=1) > 2.0  # False for NaN
        motion = np.arctan2(sample.velocities[moving, 1], sample.velocities[moving, 0])
        angles += np.degrees(_wrapped_radians(motion - sample.boxes[moving, 6])).tolist()
    if len(angles) < 5:
        raise NotCheckedError('needs moving boxes (vx and vy, or track)')
    middle = float(np.median(np.abs(angles)))
    text = f'{len(angles)} moving boxes, {middle:.0f} degrees from their heading (median)'
    if middle > 20:
        raise fault(
            'moving boxes to move along their heading',
            text,
            'yaw is counter-clockwise, 0 along x, length along the heading; by 90 degrees: length '
            'and width are exchanged; by 180: the yaw is that of the rear',
        )
    return text


def _wrapped_radians(angle: np.ndarray) -> np.ndarray:
    return np.arctan2(np.sin(angle), np.cos(angle))
