"""Pitch of the ground plane from the vanishing point of lanes and kerbs in one image."""

from __future__ import annotations

import cv2
import numpy as np

from .ground_plane_fit import GroundPlaneFit

_BORDER = 12  # pixels around the road in which kerbs are
_SHORTEST = 20.0  # pixels of a segment
_ACROSS = np.radians(12)  # smallest angle between a segment and the horizon
_AHEAD = np.radians(15)  # largest angle between the road and the camera's axis
_INSIDE = np.radians(1.0)  # angle between a segment and the line to its vanishing point
_LEAST = 5  # segments
_STD = np.radians(0.15)  # of the direction of a road against the plane of its part that is seen


def fit_vanishing_point(
    image: np.ndarray, road: np.ndarray, cam2img: np.ndarray, prior: GroundPlaneFit
) -> GroundPlaneFit:
    """Update of the plane by the direction of straight lines along the road.

    Lane markings and kerbs that are parallel to each other meet in an image point, whose ray is
    parallel to the ground. That fixes the pitch; height and roll stay those of the prior. Segments
    (line segment detector, OpenCV's LSD) vote in pairs, weighted by their length; the best point
    near the prior's horizon is refined by least squares over the segments that agree.

    Args:
        image: (H, W) uint8 grey.
        road: (H, W) bool, pixels of the road.
        cam2img: (3, 3) intrinsics.
        prior: expected plane.

    Returns:
        The updated plane; the prior where fewer than five segments agree, as on curves.

    Raises:
        ValueError: image and mask differ in size.

    Example:
        >>> from hybrid_depth.geometry import GroundPlane
        >>> prior = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65))
        >>> grey, cam2img = np.full((60, 80), 128, np.uint8), np.diag([50.0, 50, 1])
        >>> fit_vanishing_point(grey, grey > 0, cam2img, prior) is prior  # no lanes
        True
    """
    if image.shape != road.shape or image.ndim != 2:
        raise ValueError(
            f'fit_vanishing_point: expected an image and a mask (H, W), got {image.shape} and '
            f'{road.shape}'
        )
    segments = _segments(image, road, cam2img, prior)
    if len(segments) < _LEAST:
        return prior
    point = _vote(segments, cam2img, prior)
    if point is None:
        return prior
    inside = _angle_to(segments, point) <= _INSIDE
    for _ in range(5):
        if inside.sum() < _LEAST:
            return prior
        point, covariance = _least_squares(segments[inside])
        inside = _angle_to(segments, point) <= _INSIDE
    direction = np.linalg.inv(cam2img) @ [*point, 1]
    down = prior.inverse / np.linalg.norm(prior.inverse) @ np.linalg.inv(cam2img)[:, :2]
    std = float(np.sqrt(down @ covariance @ down)) / np.linalg.norm(direction)
    return prior.update_direction(direction, np.hypot(std, _STD), int(inside.sum()))


def _segments(image, road, cam2img, prior) -> np.ndarray:
    """(N, 2, 2) end points of segments on the road, not along its horizon."""
    near = cv2.dilate(road.astype(np.uint8), np.ones((2 * _BORDER + 1,) * 2, np.uint8)) > 0
    found = cv2.createLineSegmentDetector().detect(np.ascontiguousarray(image))[0]
    if found is None:
        return np.zeros((0, 2, 2))
    segments = found.reshape(-1, 2, 2).astype(np.float64)
    middle = segments.mean(1).round().astype(int).clip(0, np.array(image.shape[::-1]) - 1)
    along = segments[:, 1] - segments[:, 0]
    length = np.linalg.norm(along, axis=1)
    horizon = (prior.inverse @ np.linalg.inv(cam2img))[:2]  # its normal in the image
    slope = np.abs(along @ horizon) / np.linalg.norm(horizon)
    keep = near[middle[:, 1], middle[:, 0]] & (length >= _SHORTEST)
    return segments[keep & (slope >= np.sin(_ACROSS) * length)]


def _vote(segments, cam2img, prior) -> np.ndarray | None:
    """(2,) intersection of two segments on which the greatest length of segments agrees."""
    ends = np.concatenate((segments, np.ones((len(segments), 2, 1))), 2)
    lines = np.cross(ends[:, 0], ends[:, 1])
    length = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1)
    longest = np.argsort(-length)[:60]
    first, second = np.triu_indices(len(longest), 1)
    points = np.cross(lines[longest[first]], lines[longest[second]])
    points = points[np.abs(points[:, 2]) > 1e-9]
    points = points[:, :2] / points[:, 2:]
    rays = np.concatenate((points, np.ones((len(points), 1))), 1) @ np.linalg.inv(cam2img).T
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    height = np.abs(rays @ prior.inverse) / np.linalg.norm(prior.inverse)
    points = points[(height <= 3 * prior.pitch_std) & (rays[:, 2] >= np.cos(_AHEAD))]
    if not len(points):
        return None
    agree = [(length * (_angle_to(segments, point) <= _INSIDE)).sum() for point in points]
    return points[int(np.argmax(agree))]


def _angle_to(segments: np.ndarray, point: np.ndarray) -> np.ndarray:
    """(N,) angle between each segment and the line from its middle to a point, radians."""
    along, there = segments[:, 1] - segments[:, 0], point - segments.mean(1)
    cross = along[:, 0] * there[:, 1] - along[:, 1] * there[:, 0]
    return np.arctan2(np.abs(cross), np.abs((along * there).sum(1)))


def _least_squares(segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Point nearest to the lines of segments, (2,), and its covariance (2, 2)."""
    along = segments[:, 1] - segments[:, 0]
    length = np.linalg.norm(along, axis=1)
    normal = np.stack((-along[:, 1], along[:, 0]), 1) / length[:, None]
    offset = (normal * segments.mean(1)).sum(1)
    point = np.linalg.lstsq(normal, offset, rcond=None)[0]
    for _ in range(5):
        # error of the direction of a segment, about 1 / length^1.5, times the distance to the point
        weight = length**1.5 / np.maximum(np.linalg.norm(point - segments.mean(1), axis=1), length)
        rows, right = normal * weight[:, None], offset * weight
        point = np.linalg.lstsq(rows, right, rcond=None)[0]
    residual = rows @ point - right
    inverse = np.linalg.inv(rows.T @ rows)
    scores = rows * residual[:, None]
    correction = len(segments) / max(len(segments) - 2, 1)
    return point, inverse @ (scores.T @ scores) @ inverse * correction
