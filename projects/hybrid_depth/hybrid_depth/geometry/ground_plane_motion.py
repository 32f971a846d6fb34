"""Ground plane from the motion of its texture between two images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .feature_tracks import find_corners, project, track, track_warped
from .ground_plane_fit import GroundPlaneFit

_MOST = 1000  # corners on the road and beside it, each
_LEAST = 30  # corners
_LEAST_FLOW = 1.0  # median pixels on the road; below, the vehicle stands
_CELL = 48  # pixels, within which errors are taken as dependent
_TUKEY = 4.685
_FLOOR = 0.05  # pixels, smallest standard deviation of a tracked corner
_ROUNDS = 15


def fit_ground_motion(
    image: np.ndarray,
    others: Sequence[np.ndarray],
    road: np.ndarray,
    cam2img: np.ndarray,
    prior: GroundPlaneFit,
    distances: Sequence[float] | None = None,
    static: np.ndarray | None = None,
) -> GroundPlaneFit:
    """Plane whose homography moves the road's texture from one image to others.

    A pixel with ray d moves to that of R d + t (q . d), R and t the motion of the camera. Features
    beside the road give R and the direction of t (essential matrix), features on the road the
    product of q and the length of t; both are refined together, robustly. Without the length, only
    the attitude of the plane is updated and the height is that of the prior. Of several images the
    errors are taken as fully dependent, as all are measured from the same corners
    (docs/reference/ground_plane.md, "Fits of the plane").

    Args:
        image: (H, W) uint8 grey, of the frame whose plane is wanted.
        others: the same of earlier or later frames of this camera; those one to four metres away
            decide. Images in which the vehicle stands, or with too few features, are left out.
        road: (H, W) bool, pixels of the road in `image`.
        cam2img: (3, 3) intrinsics.
        prior: expected plane.
        distances: length of the camera's motion to each other image, metres (odometry, a pose net
            in metres, GPS); None if unknown.
        static: (H, W) bool, pixels of `image` that may serve for the motion of the camera, such as
            all but road users; None for all.

    Returns:
        The updated plane; the prior if no image could be used.

    Raises:
        ValueError: images and masks differ in size, or a distance is not finite or below 0.

    Example:
        >>> from hybrid_depth.geometry import GroundPlane
        >>> prior = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65))
        >>> grey, cam2img = np.full((60, 80), 128, np.uint8), np.diag([50.0, 50, 1])
        >>> fit_ground_motion(grey, [grey], grey > 0, cam2img, prior) is prior  # nothing to track
        True
    """
    sizes = [x.shape for x in (image, *others, road, static) if x is not None]
    if len(set(sizes)) > 1 or image.ndim != 2:
        raise ValueError(f'fit_ground_motion: expected images (H, W) of one size, got {sizes}')
    lengths = [None] * len(others) if distances is None else list(distances)
    if any(x is not None and not 0 <= x < np.inf for x in lengths) or len(lengths) != len(others):
        raise ValueError(
            f'fit_ground_motion: expected one finite distance in metres for each of {len(others)} '
            f'images, got {lengths}'
        )
    beside = find_corners(image, ~road if static is None else static & ~road, 0.01, _MOST)
    corners = find_corners(image, road, 0.001, _MOST)
    found = [
        _planar_motion(image, other, beside, corners, cam2img, prior.inverse, length)
        for other, length in zip(others, lengths, strict=True)
        if length is None or length > 0
    ]
    found = [x for x in found if x is not None]
    fit = prior
    for plane, covariance, used in found:
        covariance = covariance * len(found)  # dependent: together as certain as one
        if distances is None:
            fit = fit.update_attitude(plane, covariance, used + fit.used)
        else:
            fit = fit.update(plane, covariance, used + fit.used)
    return fit


def _planar_motion(image, other, beside, corners, cam2img, plane, length):
    """Plane, covariance and number of corners from one other image; None if it has too few.

    The plane is in metres if the length is known, else in lengths of the motion.
    """
    good, moved = track(image, other, beside)
    scene = beside[good], moved[good]
    if min(len(scene[0]), len(corners)) < _LEAST:
        return None
    motion, inliers = _essential_motion(*scene, cam2img, plane)
    if motion is None:
        return None
    scene = scene[0][inliers], scene[1][inliers]
    if length is None:
        good, moved = track(image, other, corners)
        motion = motion.scaled_to(corners[good], moved[good])
    else:
        motion = motion.scaled(length)
    for _ in range(2):  # the second time with patches warped by the first result
        good, moved = track_warped(image, other, corners, motion.homography())
        pairs = corners[good], moved[good]
        if len(pairs[0]) < _LEAST or _median_flow(*pairs) < _LEAST_FLOW:
            return None
        motion, covariance, used = motion.refined(scene, pairs)
    unit = 1.0 if length is None else length
    return motion.plane / unit, covariance / unit**2, used


@dataclass(frozen=True)
class PlanarMotion:
    """Motion of a camera over a plane.

    Attributes:
        cam2img: (3, 3).
        rotation: (3, 3), first to second camera.
        direction: (3,) unit vector of the translation.
        plane: (3,) q times the length of the translation.
    """

    cam2img: np.ndarray
    rotation: np.ndarray
    direction: np.ndarray
    plane: np.ndarray

    def homography(self) -> np.ndarray:
        """(3, 3) of the plane, first to second image."""
        rigid = self.rotation + np.outer(self.direction, self.plane)
        return self.cam2img @ rigid @ np.linalg.inv(self.cam2img)

    def scaled(self, factor: float) -> PlanarMotion:
        """The motion with the plane times a factor."""
        return PlanarMotion(self.cam2img, self.rotation, self.direction, self.plane * factor)

    def scaled_to(self, first: np.ndarray, second: np.ndarray) -> PlanarMotion:
        """The motion with the length that explains most of the tracked corners of the plane."""
        # x of R d + s t (plane . d) ~ d': cross product with d' is 0, linear in s
        d, moved = self._rays(first), self._rays(second)
        turned, shift = d @ self.rotation.T, self.direction * (d @ self.plane)[:, None]
        left, right = np.cross(moved, shift), -np.cross(moved, turned)
        factors = (left * right).sum(1) / np.maximum((left * left).sum(1), 1e-12)
        factors = factors[factors > 0]
        return self.scaled(float(np.median(factors)) if len(factors) else 1.0)

    def refined(self, scene, pairs) -> tuple[PlanarMotion, np.ndarray, int]:
        """Robust joint refinement of all parameters by Gauss-Newton steps.

        Args:
            scene: two (M, 2) positions of corners anywhere, first and second image.
            pairs: two (N, 2) positions of corners on the plane.

        Returns:
            The motion, the (3, 3) covariance of its plane, and the number of corners used.
        """
        motion = self
        owner = np.concatenate((_cells(pairs[0]).repeat(2), _cells(scene[0])))
        owner = np.unique(owner, return_inverse=True)[1]
        for _ in range(_ROUNDS):
            residual, jacobian = motion._linearised(scene, pairs)
            split = 2 * len(pairs[0])
            weights = np.concatenate((_robust(residual[:split]), _robust(residual[split:])))
            normal = jacobian.T @ (jacobian * weights[:, None])
            step = -np.linalg.lstsq(normal, jacobian.T @ (weights * residual), rcond=None)[0]
            motion = motion._stepped(step)
            if np.abs(step).max() < 1e-8:
                break
        scores = np.zeros((owner.max() + 1, 8))
        np.add.at(scores, owner, jacobian * (weights * residual)[:, None])
        inverse = np.linalg.pinv(normal)
        spread = scores.T @ scores + (jacobian * weights[:, None]).T @ jacobian * 1e-2
        covariance = (inverse @ spread @ inverse)[5:, 5:]
        return motion, covariance, int((weights[:split] > 0).sum() // 2)

    def _rays(self, pixels: np.ndarray) -> np.ndarray:
        points = np.concatenate((pixels, np.ones((len(pixels), 1))), 1)
        return points @ np.linalg.inv(self.cam2img).T

    def _stepped(self, step: np.ndarray) -> PlanarMotion:
        """Change of 3 rotation, 2 direction and 3 plane parameters."""
        # two axes across the direction of motion
        across = np.linalg.svd(self.direction[None])[2][1:]
        direction = self.direction + step[3:5] @ across
        return PlanarMotion(
            self.cam2img,
            cv2.Rodrigues(step[:3])[0] @ self.rotation,
            direction / np.linalg.norm(direction),
            self.plane + step[5:],
        )

    def _linearised(self, scene, pairs) -> tuple[np.ndarray, np.ndarray]:
        """Residuals (pixels) of the pairs and the scene, and their derivatives."""
        residual = self._residuals(scene, pairs)
        steps = np.eye(8) * 1e-6
        columns = [
            (self._stepped(step)._residuals(scene, pairs) - residual) / 1e-6 for step in steps
        ]
        return residual, np.stack(columns, 1)

    def _residuals(self, scene, pairs) -> np.ndarray:
        on_plane = project(self.homography(), pairs[0]) - pairs[1]
        x, y, z = self.direction
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        to_camera = np.linalg.inv(self.cam2img)
        fundamental = to_camera.T @ cross @ self.rotation @ to_camera
        first, second = (np.concatenate((p, np.ones((len(p), 1))), 1) for p in scene)
        lines, back = first @ fundamental.T, second @ fundamental
        size = np.sqrt((lines[:, :2] ** 2).sum(1) + (back[:, :2] ** 2).sum(1))
        epipolar = (second * lines).sum(1) / np.maximum(size, 1e-12)  # Sampson's distance
        return np.concatenate((on_plane.ravel(), epipolar))


def _essential_motion(first, second, cam2img, plane) -> tuple[PlanarMotion | None, np.ndarray]:
    """Rotation and direction of translation from corners, with their inliers."""
    cv2.setRNGSeed(0)
    method = dict(method=cv2.RANSAC, prob=0.9999, threshold=0.7)
    essential, inliers = cv2.findEssentialMat(first, second, cam2img, **method)
    if essential is None or essential.shape != (3, 3):
        return None, np.zeros(len(first), bool)
    found = cv2.recoverPose(essential, first, second, cam2img, mask=inliers.copy())
    inliers = inliers[:, 0] > 0
    if inliers.sum() < _LEAST:
        return None, inliers
    return PlanarMotion(cam2img, found[1], found[2][:, 0], plane), inliers


def _median_flow(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.median(np.linalg.norm(first - second, axis=1)))


def _cells(pixels: np.ndarray) -> np.ndarray:
    u, v = (pixels // _CELL).astype(int).T
    return v * 10000 + u


def _robust(residual: np.ndarray) -> np.ndarray:
    """Weights of residuals by Tukey's biweight, over their variance."""
    scale = max(1.4826 * np.median(np.abs(residual)), _FLOOR)
    return np.maximum(1 - (residual / (_TUKEY * scale)) ** 2, 0) ** 2 / scale**2
