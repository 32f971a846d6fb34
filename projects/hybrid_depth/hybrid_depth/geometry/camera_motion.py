"""Motion of a camera over a road, and what its images say about both."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from .feature_tracks import project
from .road_surface import SIZE, height_change, inverse_depth

MOTION = 6  # parameters: rotation vector and translation
_SUSPENSION = 0.005  # metres, standard deviation of the camera's height between two images
_LANE = 0.002  # radians, of the slope between the road below the wheels and the model
_LENGTH = 0.01  # relative standard deviation of a known length of the motion
_TUKEY = 4.685
_FLOOR = 0.05  # pixels, smallest standard deviation of a tracked corner
_CELL = 48  # pixels, within which errors are taken as dependent


@dataclass(frozen=True)
class CameraMotion:
    """Motion between two images, x' = rotation x + translation, and its measurements.

    Attributes:
        cam2img: (3, 3).
        rotation: (3, 3), first to second camera.
        translation: (3,) metres.
        scene: two (M, 2) positions of corners anywhere, first and second image.
        road: two (N, 2) positions of corners on the road.
        length: of the translation if it is known, metres.
    """

    cam2img: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    scene: tuple[np.ndarray, np.ndarray]
    road: tuple[np.ndarray, np.ndarray] = (np.zeros((0, 2)),) * 2
    length: float | None = None

    def homography(self, plane: np.ndarray) -> np.ndarray:
        """(3, 3) of a plane q (3,), first to second image."""
        rigid = self.rotation + np.outer(self.translation, plane)
        return self.cam2img @ rigid @ np.linalg.inv(self.cam2img)

    def moved(self, step: np.ndarray) -> CameraMotion:
        """The motion changed by 3 rotation and 3 translation parameters."""
        rotation = cv2.Rodrigues(step[:3])[0] @ self.rotation
        return replace(self, rotation=rotation, translation=self.translation + step[3:])

    def measurements(self, surface: np.ndarray, share: float) -> Measurements:
        """Residuals, linearised.

        Args:
            surface: (5,) of the road (`surface_prior`).
            share: of the knowledge that vehicles follow the road in this motion, as it is one for
                all images.
        """
        residual = self._residuals(surface, share)
        columns = []
        for step in np.eye(SIZE + MOTION) * 1e-7:
            changed = self.moved(step[SIZE:])._residuals(surface + step[:SIZE], share)
            columns.append((changed - residual) / 1e-7)
        count = 2 * len(self.road[0])
        weights = np.concatenate(
            (
                _robust(residual[:count].reshape(-1, 2)).repeat(2),
                _robust(residual[count : count + len(self.scene[0]), None]),
                np.ones(len(residual) - count - len(self.scene[0])),
            )
        )
        cells = np.concatenate((_cells(self.road[0]).repeat(2), _cells(self.scene[0])))
        return Measurements(residual, np.stack(columns, 1), weights, cells)

    def _residuals(self, surface: np.ndarray, share: float) -> np.ndarray:
        """Pixels of 2 N road and M scene corners, then normalised ones of path and length."""
        rays = self._rays(self.road[0])
        points = rays @ self.rotation.T + inverse_depth(surface, rays)[:, None] * self.translation
        on_road = project(self.cam2img, points[:, :2] / points[:, 2:]) - self.road[1]
        length = np.linalg.norm(self.translation)
        # a vehicle keeps its height above the road
        height = height_change(surface, -self.rotation.T @ self.translation)
        deviation = np.hypot(_SUSPENSION, _LANE * length) * np.linalg.norm(surface[:3])
        rest = [height / deviation * np.sqrt(share)]
        if self.length is not None:
            rest.append((length / self.length - 1) / _LENGTH)
        return np.concatenate((on_road.ravel(), self._epipolar(), rest))

    def _epipolar(self) -> np.ndarray:
        """(M,) Sampson's distance of the scene's corners from their epipolar lines, pixels."""
        x, y, z = self.translation / np.linalg.norm(self.translation)
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        to_camera = np.linalg.inv(self.cam2img)
        fundamental = to_camera.T @ cross @ self.rotation @ to_camera
        first, second = (np.concatenate((p, np.ones((len(p), 1))), 1) for p in self.scene)
        lines, back = first @ fundamental.T, second @ fundamental
        size = np.sqrt((lines[:, :2] ** 2).sum(1) + (back[:, :2] ** 2).sum(1))
        return (second * lines).sum(1) / np.maximum(size, 1e-12)

    def _rays(self, pixels: np.ndarray) -> np.ndarray:
        points = np.concatenate((pixels, np.ones((len(pixels), 1))), 1)
        return points @ np.linalg.inv(self.cam2img).T


@dataclass(frozen=True)
class Measurements:
    """Linearised measurements of a surface and a motion.

    Attributes:
        residual: (R,).
        jacobian: (R, 5 + 6).
        weights: (R,), inverse variances times those of the robust estimate.
        cells: (C,) of the first residuals, those of corners: image cell, whose errors depend on
            each other.
    """

    residual: np.ndarray
    jacobian: np.ndarray
    weights: np.ndarray
    cells: np.ndarray

    def scores(self) -> np.ndarray:
        """(R, 5 + 6) pull of each measurement; of those that are no corners, the expected one."""
        residual = self.residual.copy()
        residual[len(self.cells) :] = 1
        return self.jacobian * (self.weights * residual)[:, None]


def essential_motion(
    scene: tuple[np.ndarray, np.ndarray], cam2img: np.ndarray, least: int
) -> CameraMotion | None:
    """Motion of length 1 from corners, which keeps those that agree; None with too few."""
    if len(scene[0]) < least:
        return None
    cv2.setRNGSeed(0)
    method = dict(method=cv2.RANSAC, prob=0.9999, threshold=0.7)
    essential, inliers = cv2.findEssentialMat(*scene, cam2img, **method)
    if essential is None or essential.shape != (3, 3):
        return None
    found = cv2.recoverPose(essential, *scene, cam2img, mask=inliers.copy())
    inliers = inliers[:, 0] > 0
    if inliers.sum() < least:
        return None
    agreeing = scene[0][inliers], scene[1][inliers]
    return CameraMotion(cam2img, found[1], found[2][:, 0], agreeing)


def _cells(pixels: np.ndarray) -> np.ndarray:
    u, v = (pixels // _CELL).astype(int).T
    return v * 10000 + u


def _robust(residual: np.ndarray) -> np.ndarray:
    """(N,) weights of residuals (N, 1 or 2) by Tukey's biweight, over their variance."""
    size = np.linalg.norm(residual, axis=1)
    median = {1: 0.6745, 2: 1.1774}[residual.shape[1]]  # of a normal error of deviation 1
    scale = max(np.median(size) / median, _FLOOR) if len(size) else _FLOOR
    return np.maximum(1 - (size / (_TUKEY * scale)) ** 2, 0) ** 2 / scale**2
