"""Images as a distorting lens takes them, by the inverse models, which the import does not use."""

import cv2
import numpy as np

from hybrid_depth.rigs.lens import Lens


def rays_of(lens: Lens, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 2) x / z and y / z of the pixels of a camera with a lens."""
    pixels = np.stack(np.meshgrid(*(np.arange(n, dtype=float) for n in size)), -1).reshape(-1, 2)
    if lens.model == 'fisheye':
        coefficients = np.array(lens.coefficients)
        rays = cv2.fisheye.undistortPoints(pixels[:, None], matrix, coefficients)[:, 0]
    else:
        rays = brown_rays((pixels - matrix[:2, 2]) / np.diag(matrix)[:2], *lens.coefficients)
    return rays.reshape(size[1], size[0], 2)


def brown_rays(points, k1, k2, p1, p2, k3=0.0, k4=0.0, k5=0.0, k6=0.0):
    """Undistorted rays of distorted ones (N, 2): the model's formula, solved by iteration."""
    x, y = points.T
    for _ in range(300):
        r = x * x + y * y
        radial = (1 + k1 * r + k2 * r**2 + k3 * r**3) / (1 + k4 * r + k5 * r**2 + k6 * r**3)
        dx = 2 * p1 * x * y + p2 * (r + 2 * x * x)
        dy = p1 * (r + 2 * y * y) + 2 * p2 * x * y
        moved = np.stack([(points[:, 0] - dx) / radial, (points[:, 1] - dy) / radial])
        done = np.abs(moved - (x, y)).max() < 1e-12
        x, y = moved
        if done:
            break
    return np.stack([x, y], 1)


def looked_up(image: np.ndarray, matrix: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Colours that a pinhole image has along rays (H, W, 2), cubic between pixels.

    All of them must be inside of the image.
    """
    places = rays * np.diag(matrix)[:2] + matrix[:2, 2]
    assert (places >= 0).all() and (places <= np.array(image.shape[1::-1]) - 1).all()
    return cv2.remap(image, places.astype(np.float32), None, cv2.INTER_CUBIC)


def distorted(
    image: np.ndarray, matrix: np.ndarray, lens: Lens, smaller: float = 0.8, longer: float = 1.25
) -> tuple[np.ndarray, np.ndarray]:
    """The image that a camera with a lens would have taken in place of a pinhole camera.

    Args:
        image, matrix: of the pinhole camera.
        lens: distortion.
        smaller, longer: image size and focal length, over those of the pinhole camera, so that all
            of the distorted image is in the other.

    Returns:
        The image and its (3, 3) matrix, whose centre is off that of the image.
    """
    width, height = (round(n * smaller) for n in image.shape[1::-1])
    centre = (0.51 * width, 0.49 * height)
    found = np.diag([*np.diag(matrix)[:2] * longer, 1.0])
    found[:2, 2] = centre
    return looked_up(image, matrix, rays_of(lens, found, (width, height))), found
