"""Ground plane from the motion of its texture between images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .camera_motion import CameraMotion, essential_motion
from .feature_tracks import find_corners, track, track_warped
from .ground_plane_fit import GroundPlaneFit
from .motion_length import search_length
from .road_adjustment import adjust
from .road_surface import nearest_plane

_MOST = 1000  # corners on the road and beside it, each
_LEAST = 30  # corners
_LEAST_FLOW = 1.0  # median pixels on the road; below, the vehicle stands

_Pair = tuple[np.ndarray, CameraMotion]  # an image and the motion to it


def fit_ground_motion(
    image: np.ndarray,
    others: Sequence[np.ndarray],
    road: np.ndarray,
    cam2img: np.ndarray,
    prior: GroundPlaneFit,
    distances: Sequence[float] | None = None,
    static: np.ndarray | None = None,
) -> GroundPlaneFit:
    """Plane nearest to the road whose shape moves its texture from one image to others.

    Features beside the road give the rotation of the camera and the direction of its motion
    (essential matrix), features on the road the length of the motion in heights of the camera, and
    the road: its slopes, its bend and its twist. All images are adjusted together, robustly
    (`adjust`). A vehicle keeps its height above the road, so its path measures the slope too.
    Without known lengths the height below the vehicle stays that of the prior; that of the
    result differs from it as far as the road is bent
    (docs/reference/ground_plane.md, "Shape of the road").

    Args:
        image: (H, W) uint8 grey, of the frame whose plane is wanted.
        others: the same of earlier or later frames of this camera; those one to four metres away
            decide. Images in which the vehicle stands, or with too few features, are left out.
        road: (H, W) bool, pixels of the road in `image`.
        cam2img: (3, 3) intrinsics.
        prior: expected plane below the vehicle, that of the calibration.
        distances: length of the camera's motion to each other image, metres (odometry, a pose net
            in metres, GPS); None if unknown.
        static: (H, W) bool, pixels of `image` that may serve for the motion of the camera, such as
            all but road users; None for all.

    Returns:
        The plane, for distances of 4 to 30 m; the prior if no image could be used.

    Raises:
        ValueError: images and masks differ in size, or a distance is not finite or below 0.

    Example:
        >>> from hybrid_depth.geometry import GroundPlane
        >>> prior = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65))
        >>> grey, cam2img = np.full((60, 80), 128, np.uint8), np.diag([50.0, 50, 1])
        >>> fit_ground_motion(grey, [grey], grey > 0, cam2img, prior) is prior  # nothing to track
        True
    """
    lengths = _lengths(image, others, (road, static), distances)
    corners = find_corners(image, road, 0.001, _MOST)
    if len(corners) < _LEAST:
        return prior
    beside = find_corners(image, ~road if static is None else static & ~road, 0.01, _MOST)
    plane = prior.inverse
    motions = _first_motions(image, others, lengths, road, beside, cam2img, plane)
    for _ in range(2):  # the second time with patches warped by the first result
        motions = _tracked(image, motions, corners, plane)
        if not motions:
            return prior
        found = adjust(prior, [x for _, x in motions])
        motions = [(other, x) for (other, _), x in zip(motions, found.motions, strict=True)]
        plane = nearest_plane(found.surface)[0]
    agreeing = _agreeing(found.motions, found.surface)
    return adjust(prior, agreeing).fit if agreeing else prior


def _lengths(image, others, masks, distances) -> list[float | None]:
    """Lengths of the motions, checked as the images and masks are."""
    sizes = [x.shape for x in (image, *others, *masks) if x is not None]
    if len(set(sizes)) > 1 or image.ndim != 2:
        raise ValueError(f'fit_ground_motion: expected images (H, W) of one size, got {sizes}')
    lengths = [None] * len(others) if distances is None else list(distances)
    if any(x is not None and not 0 <= x < np.inf for x in lengths) or len(lengths) != len(others):
        raise ValueError(
            f'fit_ground_motion: expected one finite distance in metres for each of {len(others)} '
            f'images, got {lengths}'
        )
    return lengths


def _first_motions(image, others, lengths, road, beside, cam2img, plane) -> list[_Pair]:
    """Motions by the corners beside the road; not if the vehicle stands or they are few."""
    motions = []
    for other, length in zip(others, lengths, strict=True):
        if length == 0:
            continue
        good, moved = track(image, other, beside)
        motion = essential_motion((beside[good], moved[good]), cam2img, _LEAST)
        if motion is None:
            continue
        if length is None:
            motion = search_length(motion, image, other, road, plane)
        else:
            motion = replace(motion, translation=motion.translation * length, length=length)
        motions.append((other, motion))
    return motions


def _tracked(image, motions: Sequence[_Pair], corners, plane) -> list[_Pair]:
    """The motions with the corners of the road; not with too few, or if the vehicle stands."""
    found = []
    for other, motion in motions:
        good, moved = track_warped(image, other, corners, motion.homography(plane))
        first, second = corners[good], moved[good]
        if len(first) < _LEAST or np.median(np.linalg.norm(first - second, axis=1)) < _LEAST_FLOW:
            continue
        found.append((other, replace(motion, road=(first, second))))
    return found


def _agreeing(motions: Sequence[CameraMotion], surface: np.ndarray) -> list[CameraMotion]:
    """Motions without the corners that are outliers in any image.

    Such as those of a vehicle's shadow, which is like the road between near images.
    """
    outliers: set[tuple[float, float]] = set()
    for motion in motions:
        weights = motion.measurements(surface, 1.0).weights[: 2 * len(motion.road[0]) : 2]
        outliers |= set(map(tuple, motion.road[0][weights == 0].tolist()))
    kept = []
    for motion in motions:
        good = np.array([tuple(x) not in outliers for x in motion.road[0].tolist()])
        if good.sum() >= _LEAST:
            kept.append(replace(motion, road=tuple(x[good] for x in motion.road)))
    return kept
