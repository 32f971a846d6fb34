"""Ground plane with its uncertainty, estimated from what a vehicle measures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .ground_plane import GroundPlane

_TUKEY = 4.685  # 95 % efficiency for normal residuals
_ROUNDS = 20
_GATES = (0, 10.8, 13.8, 16.3)  # squared distance that 0.1 % of normal errors exceed, by dimension
_VAGUE = 1e4  # times the prior's covariance is as good as no prior
_FLOOR = 1e-3  # smallest relative error of a depth


@dataclass(frozen=True)
class GroundPlaneFit:
    """Normal distribution of the ground plane q . X = 1, q = normal / height, camera frame.

    Every measurement used here is linear in q, so a prior and measurements combine as in a Kalman
    filter: calibration (`from_calibration`) is the prior, `fit_ground_points`, `fit_ground_depth`,
    `fit_ground_motion` and `fit_vanishing_point` update it. `smooth_planes` combines the fits of a
    drive (docs/reference/ground_plane.md, "Fits of the plane").

    Attributes:
        inverse: (3,) float64 q, 1 / metres.
        covariance: (3, 3) of q.
        used: number of measurements that the robust fit kept; 0 for a prior.

    Example:
        >>> prior = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65))
        >>> x, z = np.meshgrid(np.linspace(-3, 3, 20), np.linspace(5, 25, 20))
        >>> road = np.stack((x, 1.7 - 0.01 * z, z), -1).reshape(-1, 3)  # uphill: pitch
        >>> fit = fit_ground_points(road, prior)
        >>> round(float(fit.plane.height), 2), round(float(fit.plane.pitch.rad2deg()), 2)
        (1.7, 0.57)
        >>> bool(fit.height_std < prior.height_std)
        True
    """

    inverse: np.ndarray
    covariance: np.ndarray
    used: int = 0

    @classmethod
    def from_calibration(
        cls,
        plane: GroundPlane,
        height_std: float = 0.05,
        pitch_std: float = np.radians(0.7),
        roll_std: float = np.radians(1.0),
    ) -> GroundPlaneFit:
        """Prior from the mounting of the camera.

        Args:
            plane: nominal plane of one camera, shape ().
            height_std: metres; load, tyres and suspension.
            pitch_std: radians; calibration, and pitching of the vehicle.
            roll_std: radians; calibration, and the cross slope of roads (about 2.5 %).

        Raises:
            ValueError: the plane is invalid, or a deviation is not positive.
        """
        if not bool(plane.valid) or min(height_std, pitch_std, roll_std) <= 0:
            raise ValueError(
                f'GroundPlaneFit: expected a plane with a height above 0 and positive deviations, '
                f'got height {float(plane.height)}, normal {plane.normal.tolist()}, deviations '
                f'{height_std}, {pitch_std}, {roll_std}'
            )
        variances = np.square([height_std, pitch_std, roll_std])
        return _from_angles(_angles(plane.inverse.double().numpy()), np.diag(variances), 0)

    @property
    def plane(self) -> GroundPlane:
        """The mean plane, of shape ()."""
        return GroundPlane.from_inverse(torch.from_numpy(self.inverse))

    @property
    def height_std(self) -> float:
        """Standard deviation of the height, metres."""
        return self._deviations()[0]

    @property
    def pitch_std(self) -> float:
        """Standard deviation of the pitch, radians."""
        return self._deviations()[1]

    @property
    def roll_std(self) -> float:
        """Standard deviation of the roll, radians."""
        return self._deviations()[2]

    def _deviations(self) -> list[float]:
        jacobian = _angles_jacobian(self.inverse)
        return np.sqrt(np.diag(jacobian @ self.covariance @ jacobian.T)).tolist()

    def update(self, inverse: np.ndarray, covariance: np.ndarray, used: int) -> GroundPlaneFit:
        """Posterior after a measurement of the plane.

        A measurement that disagrees with this distribution more than 0.1 % of correct ones would is
        rejected: the result is then this distribution.

        Args:
            inverse: (3,) measured q, 1 / metres.
            covariance: (3, 3) of it.
            used: number of measurements that it summarises.
        """
        found = _kalman(self.inverse, self.covariance, np.eye(3), inverse, covariance)
        return self if found is None else GroundPlaneFit(*found, used)

    def update_attitude(
        self, plane: np.ndarray, covariance: np.ndarray, used: int
    ) -> GroundPlaneFit:
        """Posterior after a measurement of the plane in an unknown unit of length.

        Args:
            plane: (3,) q in that unit.
            covariance: (3, 3) of it.
            used: number of measurements that it summarises.
        """
        # in height, pitch and roll, of which it measures the last two
        to_angles, measured = _angles_jacobian(self.inverse), _angles_jacobian(plane)[1:]
        found = _kalman(
            _angles(self.inverse),
            to_angles @ self.covariance @ to_angles.T,
            np.eye(3)[1:],
            _angles(plane)[1:],
            measured @ covariance @ measured.T,
        )
        return self if found is None else _from_angles(*found, used)

    def update_direction(self, direction: np.ndarray, std: float, used: int) -> GroundPlaneFit:
        """Posterior after a measurement of a direction along the ground, such as that of a lane.

        Args:
            direction: (3,) in the camera frame, any length: the ray of its vanishing point.
            std: of the angle between direction and ground, radians.
            used: number of measurements that it summarises.
        """
        to_angles = _angles_jacobian(self.inverse)
        angles, direction = _angles(self.inverse), direction / np.linalg.norm(direction)
        back = np.linalg.inv(to_angles)
        # of normal . direction = height q . direction, which the height alone does not change
        row = angles[0] * direction @ back * (0, 1, 1)
        error = -angles[0] * direction @ self.inverse
        covariance = to_angles @ self.covariance @ to_angles.T
        found = _kalman(angles, covariance, row[None], row @ angles + error, np.eye(1) * std**2)
        return self if found is None else _from_angles(*found, used)


def fit_ground_points(
    points: np.ndarray,
    prior: GroundPlaneFit,
    tolerance: float = 0.05,
    max_depth: float = 30.0,
    min_points: int = 30,
) -> GroundPlaneFit:
    """Plane through points on the ground, such as LiDAR, with others among them.

    Robust (Tukey's biweight) least squares of the relative depth error. Points are weighted such
    that each interval of range counts the same, as LiDAR has most of its points nearby.

    Args:
        points: (N, 3) metres, camera frame; those off the ground are rejected if few.
        prior: expected plane.
        tolerance: largest relative difference of depth from the prior's plane, besides three of its
            standard deviations.
        max_depth: metres.
        min_points: with fewer points the prior is returned.

    Raises:
        ValueError: points of another shape.

    Example:
        >>> prior = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65))
        >>> x, z = np.meshgrid(np.linspace(-3, 3, 20), np.linspace(5, 25, 20))
        >>> points = np.stack((x, np.full_like(x, 1.6), z), -1).reshape(-1, 3)
        >>> round(float(fit_ground_points(points, prior).plane.height), 2)
        1.6
    """
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f'fit_ground_points: expected points (N, 3), got {points.shape}')
    points = points[np.isfinite(points).all(1) & (points[:, 2] > 0) & (points[:, 2] <= max_depth)]
    # relative depth error of a point, z q . d - 1 = q . X - 1, and what the prior expects of it
    expected = np.sqrt(np.einsum('ni,ij,nj->n', points, prior.covariance, points))
    near = np.abs(points @ prior.inverse - 1) <= tolerance + 3 * expected
    if near.sum() < min_points:
        return prior
    points = points[near]
    cells = (points[:, 2] // 2).astype(int) * 1000 + (points[:, 0] // 2).astype(int)
    _, owner, count = np.unique(cells, return_inverse=True, return_counts=True)
    # 1 / count: each cell of the road counts the same, however near it is
    return _robust_update(prior, points, owner, 1 / count[owner])


def fit_ground_depth(
    depth: np.ndarray,
    mask: np.ndarray,
    cam2img: np.ndarray,
    prior: GroundPlaneFit,
    metric: bool = True,
    max_depth: float = 30.0,
) -> GroundPlaneFit:
    """Plane through the ground pixels of a depth map, of a depth network for example.

    Args:
        depth: (H, W) along the camera's axis, 0 = none; metres, or any unit if not `metric`.
        mask: (H, W) bool, pixels of the ground.
        cam2img: (3, 3) intrinsics.
        prior: expected plane.
        metric: False if the depth has an unknown factor; the height is then that of the prior, and
            the slopes are those of the depth.
        max_depth: metres.

    Example:
        >>> prior = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65))
        >>> cam2img = np.array([[200.0, 0, 50], [0, 200, 20], [0, 0, 1]])
        >>> rows = np.arange(80)[:, None] * np.ones(100)
        >>> depth = np.where(rows > 25, 200 * 1.6 / np.maximum(rows - 20, 1), 0)
        >>> round(float(fit_ground_depth(depth, depth > 0, cam2img, prior).plane.height), 2)
        1.6
    """
    rows, columns = np.nonzero(mask & (depth > 0) & np.isfinite(depth))
    values = depth[rows, columns].astype(np.float64)
    pixels = np.stack((columns, rows, np.ones_like(rows)), -1)
    points = pixels @ np.linalg.inv(cam2img).T * values[:, None]
    if not metric and len(points):
        points = points / np.median(points @ prior.inverse)  # first guess of the unit
        vague = GroundPlaneFit(prior.inverse, prior.covariance * _VAGUE)
        found = fit_ground_points(points, vague, max_depth=max_depth)
        if not found.used:
            return prior
        return prior.update_attitude(found.inverse, found.covariance, found.used)
    return fit_ground_points(points, prior, max_depth=max_depth)


def _robust_update(
    prior: GroundPlaneFit, points: np.ndarray, owner: np.ndarray, weights: np.ndarray
) -> GroundPlaneFit:
    """Posterior of a prior and many depths of the ground, with outliers.

    Measurements are 1 / z = q . d with relative errors. Tukey's biweight; then the covariance of
    clustered measurements: errors within a cell of the road (its shape, for example) are taken as
    fully dependent, those of different cells as independent.

    Args:
        prior: distribution before.
        points: (N, 3) z d, metres.
        owner: (N,) cell of each point, from 0.
        weights: (N,).
    """
    mean, vague = prior.inverse, np.linalg.inv(prior.covariance) / _VAGUE
    values = 1 / points[:, 2]
    rays = points * values[:, None]
    for _ in range(_ROUNDS):
        # relative to the plane, not to the noisy depth, whose errors would bias the plane
        expected = np.maximum(rays @ mean, _FLOOR)
        rows, residual = rays / expected[:, None], 1 - values / expected
        scale = max(1.4826 * np.median(np.abs(residual)), _FLOOR)
        kept = weights * np.maximum(1 - (residual / (_TUKEY * scale)) ** 2, 0) ** 2
        pull = vague * scale**2  # where the measurements leave a direction open
        normal = rows.T @ (rows * kept[:, None]) + pull
        step = np.linalg.solve(normal, rows.T @ (kept * residual) + pull @ (mean - prior.inverse))
        mean = mean - step
        if np.linalg.norm(step) < 1e-9 * np.linalg.norm(mean):
            break
    scores = np.zeros((owner.max() + 1, 3))
    np.add.at(scores, owner, rows * (kept * residual)[:, None])
    spread = scores.T @ scores + _FLOOR**2 * (rows * kept[:, None] ** 2).T @ rows + pull * scale**2
    inverse = np.linalg.inv(normal)
    return prior.update(mean, inverse @ spread @ inverse, int((kept > 0).sum()))


def _angles_jacobian(inverse: np.ndarray) -> np.ndarray:
    """(3, 3) derivatives of height, pitch and roll with respect to q."""
    x, y, z = inverse
    size, level = np.linalg.norm(inverse), np.hypot(x, y)
    return np.array(
        [
            -inverse / size**3,
            np.array([-x * z / level, -y * z / level, level]) / size**2,
            np.array([y, -x, 0]) / level**2,
        ]
    )


def _angles(inverse: np.ndarray) -> np.ndarray:
    """(3,) height, pitch and roll."""
    plane = GroundPlane.from_inverse(torch.from_numpy(inverse))
    return np.array([float(plane.height), float(plane.pitch), float(plane.roll)])


def _from_angles(angles: np.ndarray, covariance: np.ndarray, used: int) -> GroundPlaneFit:
    """Distribution with the mean and covariance of height, pitch and roll."""
    inverse = GroundPlane.from_angles(*angles.tolist()).inverse.numpy()
    back = np.linalg.inv(_angles_jacobian(inverse))
    return GroundPlaneFit(inverse, back @ covariance @ back.T, used)


def _kalman(mean, covariance, rows, values, noise) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean and covariance after measurements rows . state = values; None if they do not fit."""
    error = values - rows @ mean
    spread = rows @ covariance @ rows.T + noise
    if not error @ np.linalg.solve(spread, error) <= _GATES[len(rows)]:
        return None
    gain = np.linalg.solve(spread, rows @ covariance).T
    keep = np.eye(3) - gain @ rows
    # Joseph's form, which stays positive definite
    return mean + gain @ error, keep @ covariance @ keep.T + gain @ noise @ gain.T
