"""View of an image by a virtual camera at the same place that stands upright."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_STEEPEST = np.cos(np.radians(80))  # rays steeper than this against the horizontal are left out
_SIDE = 2.0  # longest side of the view, in image diagonals


@dataclass(frozen=True)
class UprightView:
    """Virtual level camera: vertical lines of the scene are columns of its image.

    Its axes are right, down along the normal of the ground, and horizontally forward, so the
    horizontal distance D of a point is its depth there, and ground at height h below the camera has
    1 / D = (v - horizon) / (focal h). With the identity as homography nothing is resampled.

    Args:
        homography: (3, 3) pixels of the image to pixels of the view.
        size: height and width of the view.
        focal: vertical focal length, pixels.
        horizon: row of the horizon.
        middle: column of the axis.
        forward: (3,) such that forward . (u, v, 1) is the horizontal distance per depth of the
            ray of an image pixel.
    """

    homography: np.ndarray
    size: tuple[int, int]
    focal: float
    horizon: float
    middle: float
    forward: np.ndarray

    @classmethod
    def of(
        cls, cam2img: np.ndarray, normal: np.ndarray, size: tuple[int, int]
    ) -> UprightView | None:
        """View of an image of `size` (h, w); None if no pixel looks far enough ahead.

        Args:
            cam2img: (3, 3) intrinsics; flips and rotations of the image included.
            normal: (3,) unit normal of the ground, pointing down, in the camera frame.
        """
        img2cam = np.linalg.inv(cam2img)
        ahead = np.array([0.0, 0, 1]) - normal * normal[2]
        if np.linalg.norm(ahead) < 1e-6:  # the camera looks straight down or up
            return None
        ahead /= np.linalg.norm(ahead)
        camera2level = np.stack((np.cross(normal, ahead), normal, ahead))
        focals = np.linalg.norm(cam2img[:2, :2], axis=0)
        level = np.diag([*focals, 1.0]) @ camera2level @ img2cam
        u, v = np.meshgrid(np.linspace(0, size[1] - 1, 17), np.linspace(0, size[0] - 1, 17))
        rays = np.stack((u, v, np.ones_like(u)), -1).reshape(-1, 3) @ (camera2level @ img2cam).T
        rays = rays[rays[:, 2] > _STEEPEST * np.linalg.norm(rays, axis=1)]
        if not len(rays):
            return None
        seen = rays[:, :2] / rays[:, 2:] * focals
        longest = _SIDE * np.hypot(*size)
        # around the pixels nearest to the horizon, if the view would be too large
        low = np.maximum(seen.min(0), -longest / 2).round(6)
        high = np.minimum(seen.max(0), longest / 2).round(6)
        width, height = np.ceil(high - low - 1e-3).astype(int) + 1
        shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]])
        return cls(
            shift @ level, (int(height), int(width)), focals[1], -low[1], -low[0], ahead @ img2cam
        )

    @property
    def identity(self) -> bool:
        """The image itself is upright."""
        return bool(np.abs(self.homography / self.homography[2, 2] - np.eye(3)).max() < 1e-6)

    def from_image(self, labels: np.ndarray, outside: int) -> np.ndarray:
        """Nearest-neighbour view of a label image (H, W)."""
        if self.identity:
            return labels
        return self._warp(labels, self.homography, self.size, outside)

    def to_image(self, values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Values of the view at the pixels of the image (h, w); NaN outside of the view."""
        if self.identity:
            return values
        return self._warp(values, np.linalg.inv(self.homography), size, np.nan)

    def column(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(N,) nearest column of the view of image pixels."""
        across, _, depth = self.homography[:, :2] @ (columns, rows) + self.homography[:, 2:]
        return np.round(across / depth).astype(int)

    @staticmethod
    def _warp(image: np.ndarray, homography, size: tuple[int, int], outside: float) -> np.ndarray:
        return cv2.warpPerspective(
            image,
            homography,
            size[::-1],
            flags=cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=outside,
        )
