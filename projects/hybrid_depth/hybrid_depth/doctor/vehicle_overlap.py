"""Agreement of LiDAR and images of a vehicle, under its calibration and under others.

Agreements are given in units of the noise of a camera: the median and the spread (1.48 times the
median absolute deviation) over all headings of the camera, nearly all of which are wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.transform import Rotation

from ..findings import NotCheckedError
from .keyframes import Keyframe
from .sensor_overlap import Agreement, depth_edges, edge_image

_YAWS = np.arange(360)
_TILTS = (*range(-45, -4, 5), *range(5, 46, 5))
_FEW = 30.0  # weight of the depth edges in an image, about as many points


def _rotations() -> tuple[np.ndarray, list[str]]:
    """Rotations of a camera with their names, the identity first, then the other headings."""
    found = [(axis * angle, name) for axis, name, angle in _turns()]
    matrices = [Rotation.from_rotvec(vector, degrees=True).as_matrix() for vector, _ in found]
    names = [name for _, name in found]
    for order, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        matrix = np.diag(signs)[:, order].astype(float)
        if np.linalg.det(matrix) > 0 and not np.allclose(matrix, np.eye(3)):
            matrices.append(matrix)
            names.append('with other axes than x right, y down, z forward')
    return np.array(matrices), names


def _turns() -> list[tuple[np.ndarray, str, int]]:
    right, down, forward = np.eye(3)
    turns = [(down, f'turned by {_signed(angle)} degrees (counter-clockwise)', angle)
             for angle in _YAWS]  # fmt: skip
    turns += [(right, f'pitched by {angle} degrees', angle) for angle in _TILTS]
    turns += [(forward, f'rolled by {angle} degrees', angle) for angle in _TILTS]
    return turns


def _signed(angle: int) -> int:
    return int((angle + 180) % 360 - 180)


class VehicleOverlap:
    """Agreement of the images of a vehicle with its LiDAR.

    Args:
        keyframes: keyframes with sweeps, of one vehicle.

    Attributes:
        cam_names: the N cameras.
        scores: (N, R) agreement of each camera under every rotation, in units of its noise; the
            first is the calibration as it is. NaN where too few depth edges are in the image.
        exchanged: (N, N) agreement of image i under the calibration of camera j.
        noise: (N,) spread of the agreement of a camera, by which scores are divided.
        names: the R rotations in words.

    Raises:
        NotCheckedError: no sweep has ring numbers, or no image has depth edges.
    """

    def __init__(self, keyframes: Sequence[Keyframe]) -> None:
        rotations, self.names = _rotations()
        ringed = [keyframe for keyframe in keyframes if keyframe.rings is not None]
        if not ringed:
            raise NotCheckedError('needs the ring number of every LiDAR point')
        self.cam_names = ringed[0].cam_names
        count = len(self.cam_names)
        sums = [Agreement(rotations) for _ in range(count)]
        pairs = [[Agreement(np.eye(3)[None]) for _ in range(count)] for _ in range(count)]
        for keyframe in ringed:
            edges = depth_edges(keyframe.points, keyframe.rings, keyframe.lidar2ego)
            for i, image in enumerate(keyframe.images):
                edged, scale = edge_image(image)
                for j in range(count):
                    view = (edged, scale, keyframe.ego2cam[j], keyframe.cam2img[j])
                    pairs[i][j].add(edges, *view)
                    if i == j:
                        sums[i].add(edges, *view)
        self._normalise(sums, pairs)

    def _normalise(self, sums: list[Agreement], pairs: list[list[Agreement]]) -> None:
        raw = np.array([_enough(each) for each in sums])
        headings = raw[:, : len(_YAWS)]
        with np.errstate(all='ignore'):
            middle = np.nanmedian(np.where(np.isfinite(headings), headings, np.nan), 1)
            self.noise = 1.4826 * np.nanmedian(np.abs(headings - middle[:, None]), 1)
        self.scores = (raw - middle[:, None]) / self.noise[:, None]
        exchanged = np.array([[_enough(each)[0] for each in row] for row in pairs])
        self.exchanged = (exchanged - middle[:, None]) / self.noise[:, None]
        if not np.isfinite(self.scores[:, 0]).any():
            raise NotCheckedError('too few depth edges in the images')

    def best_order(self) -> np.ndarray:
        """(N,) calibration for each image in the order that agrees best."""
        return linear_sum_assignment(-np.nan_to_num(self.exchanged, nan=0.0))[1]


def _enough(agreement: Agreement) -> np.ndarray:
    return np.where(agreement.seen >= _FEW, agreement.scores, np.nan)
