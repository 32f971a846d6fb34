"""Checks of depth models' data: intrinsics, neighbours, stereo baseline, and depth range."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..calibration_checks import field_of_view
from ..config_errors import paths_of
from ..datasets.image_files import image_size, open_image
from ..datasets.kitti.calibration import relative_cam2img
from ..datasets.video.frame_motion import frame_motion
from ..findings import NotCheckedError, fault
from ..geometry.projection import back_project, project, sample
from .case import PARTS, Case, spaced
from .datasets import check_datasets

_SAMPLES = 4  # of each data set, evenly spaced
# Pixels of cameras are square; a resize without its intrinsics changes fx / fy. Calibrated KITTI
# and nuScenes cameras are within 0.5 %, the intrinsics of Monodepth2 for all of KITTI (0.58, 1.92)
# within 1.5 %.
_SQUARE = 0.05
# Mean optical flow in pixels at width 640: up to 0.03 between identical frames, 1 to 60 while
# driving.
_STANDING = 0.1
_WIDTH = 160  # pixels, of images compared over planes
_PLANES = 24
_DISPARITIES = (0.5, 24.0)  # pixels at that width: from far away to 1 / 7 of the width
# Error of the best plane per pixel, relative to that under the other sign: equal without texture.
_BETTER = 0.8
_NEAREST = 3.0  # metres; the nearest road that a camera on a car sees


def frames_of(case: Case) -> dict[str, list[dict]]:
    """Evenly spaced samples before the pipeline, by part.

    Raises:
        NotCheckedError: the config has no frames of videos.
    """
    found = {}
    for part, dataset in case.datasets.items():
        if not hasattr(dataset, 'frame_ids'):
            continue
        places = spaced(len(dataset), _SAMPLES)
        found[part] = [dataset.get_data_info(place) for place in places]
    if not found:
        raise NotCheckedError('the config has no frames of videos')
    return found


def camera_of(info: dict) -> np.ndarray | None:
    """(3, 3) intrinsics of a frame's file in pixels, if known."""
    if 'cam2img' in info:
        return np.asarray(info['cam2img'], dtype=np.float64)
    if 'relative_intrinsics' in info:
        return relative_cam2img(*info['relative_intrinsics'], image_size(info['img_paths'][0]))
    return None


def check_data(case: Case) -> str:
    """Read the data sets.

    Raises:
        DatasetMissingError, FileNotFoundError, DepthDataError: they are missing or damaged.
    """
    check_datasets(case.cfg, PARTS)
    lengths = ', '.join(f'{len(dataset)} in {part}' for part, dataset in case.datasets.items())
    return f'samples: {lengths}'


def check_intrinsics(case: Case) -> str:
    """Compare intrinsics with the sizes of the images.

    Raises:
        ConventionError: pixels that are not square.
        DepthDataError: see `check_camera`, when an image is loaded.
        NotCheckedError: no intrinsics.
    """
    angles = []
    for part, infos in frames_of(case).items():
        case.sample(part)  # loads an image and checks its calibration
        for info in infos:
            cam2img = camera_of(info)
            if cam2img is None:
                continue
            path, size = info['img_paths'][0], image_size(info['img_paths'][0])
            ratio = cam2img[0, 0] / cam2img[1, 1]
            if abs(np.log(ratio)) > _SQUARE:
                raise fault(
                    f'square pixels of {path} ({size[0]}x{size[1]})',
                    f'fx / fy = {ratio:.3f}',
                    'the intrinsics are those of images of another aspect: scale fx, cx by the '
                    'ratio of the widths and fy, cy by that of the heights',
                )
            angles.append(field_of_view(cam2img, size)[0])
    if not angles:
        raise NotCheckedError('the data sets have no intrinsics')
    return f'square pixels, horizontal angle of view {min(angles):.0f} to {max(angles):.0f} degrees'


def check_neighbours(case: Case) -> str:
    """Measure the motion from each frame to its neighbours.

    Raises:
        ConventionError: all neighbours are the frame itself.
        NotCheckedError: single frames.
    """
    medians = {}
    for part, infos in frames_of(case).items():
        motions = [
            frame_motion(info['img_paths'][0], path)
            for info in infos
            for frame_id, path in info['img_paths'].items()
            if frame_id not in (0, 's') and path is not None
        ]
        if motions:
            medians[part] = float(np.median(motions))
    if not medians:
        raise NotCheckedError('the data sets have single frames')
    part = min(medians, key=medians.get)
    if medians[part] < _STANDING:
        raise fault(
            f'neighbours in {part} that show the scene from elsewhere',
            f'a median motion of {medians[part]:.3f} pixels (at width 640)',
            'check frame_ids and the order of the files; a static camera teaches no depth',
        )
    return f'neighbours move by {medians[part]:.1f} pixels or more (median, at width 640)'


def check_stereo(case: Case) -> str:
    """Compare the sign of the stereo baseline with the images.

    Raises:
        ConventionError: the other sign explains the images better.
        NotCheckedError: no stereo frames, or no texture.
    """
    pairs = [
        info
        for infos in frames_of(case).values()
        for info in infos
        if 's' in info.get('transforms', {}) and camera_of(info) is not None
    ]
    if not pairs:
        raise NotCheckedError('the data sets have no stereo frames')
    errors = np.array([[plane_error(info, sign) for sign in (1, -1)] for info in pairs])
    given, other = errors.mean(0)
    if other < _BETTER * given:
        raise fault(
            "transforms['s'] from the current camera to the other, x to the right",
            f'images that fit {given / other:.1f} times better with the opposite baseline',
            'negate the translation: it is minus the place of the other camera',
        )
    if given > _BETTER * other:
        raise NotCheckedError('the images have too little texture')
    return f'the baseline fits the images {other / given:.1f} times better than its opposite'


def plane_error(info: dict[str, Any], sign: int) -> float:
    """Mean error of the best of fronto-parallel planes per pixel, images in [0, 1].

    Args:
        info: sample with the frames 0 and 's'.
        sign: 1, or -1 for the opposite baseline.
    """
    size = image_size(info['img_paths'][0])
    scale = _WIDTH / size[0]
    small = (_WIDTH, round(size[1] * scale))
    target, source = (
        torch.from_numpy(np.array(open_image(info['img_paths'][i]).resize(small))) / 255
        for i in (0, 's')
    )
    target, source = (image.movedim(-1, 0)[None].double() for image in (target, source))
    cam2img = torch.from_numpy(np.diag([scale, scale, 1]) @ camera_of(info))[None]
    transform = torch.from_numpy(np.asarray(info['transforms']['s'], dtype=np.float64))[None]
    transform = transform.clone()
    transform[:, :3, 3] *= sign
    reach = float(cam2img[0, 0, 0] * transform[0, :3, 3].norm())
    best = torch.full(target.shape[-2:], torch.inf, dtype=torch.float64)
    for disparity in np.geomspace(*_DISPARITIES, _PLANES):
        depth = torch.full((1, 1, *target.shape[-2:]), reach / disparity, dtype=torch.float64)
        grid = project(back_project(depth, cam2img), cam2img, transform, target.shape[-2:])
        error = (sample(source, grid) - target).abs().mean(1)[0]
        inside = (grid.abs() <= 1).all(-1)[0]
        best = torch.where(inside & (error < best), error, best)
    return float(best[best.isfinite()].mean())


def check_depth_limits(case: Case) -> str:
    """Compare the depth range of the model with the ground truth of its evaluation.

    Raises:
        ConventionError: the ground truth has depths that the model cannot have.
        NotCheckedError: no evaluation of depth.
    """
    from ..depth.evaluation.protocols import load_protocol

    model = case.cfg.get('model', {})
    low, high = model.get('min_depth', 0.1), model.get('max_depth', 100.0)
    done = []
    for part in ('val_evaluator', 'test_evaluator'):
        for _, metric in paths_of(case.cfg.get(part), 'type', 'DepthMetric'):
            protocol = load_protocol(metric.get('protocol', 'kitti_eigen'))
            far = min(protocol.truth_range[1] or protocol.clamp[1], protocol.clamp[1])
            metric_scale = protocol.scaling == 'none'
            reach = high * protocol.factor if metric_scale else high / low * _NEAREST
            if reach < far:
                raise fault(
                    f'a depth range of the model that covers the {far:g} m of {part} '
                    f'({protocol.name})',
                    f'min_depth {low:g}, max_depth {high:g}: {reach:.1f} m at most'
                    + ('' if metric_scale else f', if {_NEAREST:g} m is the nearest'),
                    'set max_depth of the model, or clamp and truth_range of the protocol',
                )
            done.append(f'{far:g} m of {protocol.name}')
    if not done:
        raise NotCheckedError('the config has no evaluation of depth')
    return f'{low:g} to {high:g} covers the {", ".join(dict.fromkeys(done))}'
