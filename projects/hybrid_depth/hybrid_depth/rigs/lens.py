"""Lens distortion of OpenCV's models, and images without it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .errors import RigError

#: Accepted numbers of coefficients: k1 k2 p1 p2 [k3 [k4 k5 k6]], and k1 k2 k3 k4.
COEFFICIENTS = dict(radial=(4, 5, 8), fisheye=(4,))
_WIDEST = 0.5  # of the focal length: an image is not reduced further to keep its borders
_GRID = 160  # rays per side, by which the valid region is found


@dataclass(frozen=True)
class Lens:
    """Distortion of a camera.

    Args:
        model: 'radial' (OpenCV's pinhole model with k1 k2 p1 p2 [k3 [k4 k5 k6]]; Brown-Conrady,
            plumb_bob and rational_polynomial of ROS) or 'fisheye' (k1 k2 k3 k4; Kannala-Brandt,
            equidistant of ROS).
        coefficients: of the model.

    Raises:
        RigError: another model or number of coefficients.
    """

    model: str
    coefficients: tuple[float, ...]

    def __post_init__(self) -> None:
        counts = COEFFICIENTS.get(self.model)
        if counts is None or len(self.coefficients) not in counts:
            raise RigError(
                'expected a distortion radial of 4, 5 or 8 coefficients, or fisheye of 4, got '
                f'{self.model} of {len(self.coefficients)}'
            )

    def project(self, rays: np.ndarray, cam2img: np.ndarray) -> np.ndarray:
        """(N, 2) distorted pixels of rays (N, 2), x / z and y / z."""
        rays = np.asarray(rays, np.float64)
        coefficients = np.array(self.coefficients)
        if self.model == 'fisheye':
            return cv2.fisheye.distortPoints(rays[:, None], cam2img, coefficients)[:, 0]
        points = np.concatenate([rays, np.ones((len(rays), 1))], 1)
        return cv2.projectPoints(points, np.zeros(3), np.zeros(3), cam2img, coefficients)[0][:, 0]


@dataclass(frozen=True)
class Undistortion:
    """Map from the images of a distorted camera to those of a pinhole camera.

    Attributes:
        cam2img: (3, 3) of the pinhole camera.
        size: (width, height) of its images.
    """

    cam2img: np.ndarray
    size: tuple[int, int]
    _columns: np.ndarray
    _rows: np.ndarray

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Undistorted image of a distorted one (H, W, 3) uint8."""
        return cv2.remap(image, self._columns, self._rows, cv2.INTER_LINEAR)


def undistortion(lens: Lens, cam2img: np.ndarray, size: tuple[int, int]) -> Undistortion:
    """Undistortion that keeps the largest region without black borders.

    The image has at most the size and the resolution of the distorted one; a wide angle is kept
    down to half of its focal length, and cropped beyond.

    Args:
        lens: distortion.
        cam2img: (3, 3) intrinsics of the distorted images, pixels.
        size: (width, height) of them.

    Raises:
        RigError: the coefficients distort the centre of the image already.
    """
    left, right, top, bottom = _valid_region(lens, cam2img, size)
    fx, fy = cam2img[0, 0], cam2img[1, 1]
    zoom = min(1.0, size[0] / (fx * (right - left)), size[1] / (fy * (bottom - top)))
    fx, fy = zoom * fx, zoom * fy
    new_size = (int(fx * (right - left)), int(fy * (bottom - top)))
    # the outermost pixel centres lie half a pixel inside the region
    new = np.array([[fx, 0, -fx * left - 0.5], [0, fy, -fy * top - 0.5], [0, 0, 1.0]])
    make_maps = cv2.fisheye.initUndistortRectifyMap if lens.model == 'fisheye' else (
        cv2.initUndistortRectifyMap
    )  # fmt: skip
    maps = make_maps(cam2img, np.array(lens.coefficients), np.eye(3), new, new_size, cv2.CV_32FC1)
    return Undistortion(new, new_size, *maps)


def _valid_region(
    lens: Lens, cam2img: np.ndarray, size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Left, right, top and bottom x / z and y / z of a rectangle of rays that are all in the image.

    From the rectangle at half of the focal length, the side with the most rays outside of the
    image is moved inwards until none is left.
    """
    focal, centre = np.diag(cam2img)[:2], cam2img[:2, 2]
    low = (-0.5 - centre) / (focal * _WIDEST)
    high = (np.array(size) - 0.5 - centre) / (focal * _WIDEST)
    xs, ys = (np.linspace(low[axis], high[axis], _GRID) for axis in (0, 1))
    rays = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)
    pixels = lens.project(rays, cam2img)
    inside = ((pixels >= 0) & (pixels <= np.array(size) - 1)).all(1)
    inside &= _before_fold(lens, cam2img, np.linalg.norm(rays, axis=1))
    grid = inside.reshape(_GRID, _GRID)
    first, last = [0, 0], [_GRID, _GRID]  # rows, columns
    while not grid[first[0] : last[0], first[1] : last[1]].all():
        part = grid[first[0] : last[0], first[1] : last[1]]
        if min(part.shape) < 4:
            raise RigError(
                f'{lens.model} distortion {list(lens.coefficients)}: expected coefficients of this '
                'camera, got ones under which no region of the image is valid. Is the order k1 k2 '
                'p1 p2 k3, and is the model radial or fisheye?'
            )
        sides: dict[tuple[int, int], np.ndarray] = {
            (0, 0): part[0], (0, 1): part[-1], (1, 0): part[:, 0], (1, 1): part[:, -1],
        }  # fmt: skip
        axis, end = min(sides, key=lambda side: sides[side].mean())
        if end:
            last[axis] -= 1
        else:
            first[axis] += 1
    return xs[first[1]], xs[last[1] - 1], ys[first[0]], ys[last[0] - 1]


def _before_fold(lens: Lens, cam2img: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Rays at these radii lie before the radius from which on the model's polynomial falls."""
    steps = np.linspace(0, radii.max() * 1.001, 2000)
    rays = np.stack([steps, np.zeros_like(steps)], 1)
    distance = np.linalg.norm(lens.project(rays, cam2img) - cam2img[:2, 2], axis=1)
    falls = np.flatnonzero(np.diff(distance) <= 0)
    return radii < (steps[falls[0]] if len(falls) else np.inf)
