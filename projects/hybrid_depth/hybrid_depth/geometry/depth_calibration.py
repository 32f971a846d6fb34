"""Calibration that turns the depth of a model into metres for one camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from ..errors import DamagedFileError, DepthDataError

CalibrationForm = Literal['scale', 'log-affine', 'affine']
_LEAST = dict(scale=1, **{'log-affine': 3, 'affine': 3})  # points
_LEAST_RANGE = 1.5  # farthest over nearest point, for two unknowns
_FARTHEST = 1000.0  # metres, where an affine disparity vanishes
_ROUNDS = 50
_MAD = 1.4826  # median absolute deviation to standard deviation


@dataclass(frozen=True)
class DepthCalibration:
    """Map from the depth z of a model to metres.

    Three forms: ``scale``, gain z; ``log-affine``, exp(offset) z^gain; ``affine`` of the disparity,
    1 / (offset + gain / z), for models whose disparity has an unknown offset too
    (docs/reference/teachers.md, "Families"). It holds for the camera of which the points were
    measured: depth networks take the size of objects and the height of the camera for granted
    (docs/reference/teachers.md, "What a calibration depends on").

    Attributes:
        form: see above.
        gain, offset: of the form.
        spread: standard deviation of an image's factor among images, relative; None with one image.
            Metres of a single image are wrong by about this factor.
        error: median relative error of a point after the calibration.
        images, points: that were used.
        near, far: range of the points, metres; beyond it the calibration extrapolates.
        focal: focal length over image width of the camera.
        method: how the points were measured.
        heights: lowest and highest mounting of the cameras above the ground, metres; None if
            unknown.

    Example:
        >>> depth = [np.array([1.0, 2.0, 4.0]), np.array([2.0, 8.0])]
        >>> found = fit_depth_calibration(depth, [5 * x for x in depth], focal=0.6, method='tape')
        >>> round(found.gain, 3), found.images, found.near, found.far
        (5.0, 2, 5.0, 40.0)
        >>> found(torch.tensor([2.0])).tolist()
        [10.0]
    """

    form: CalibrationForm
    gain: float
    offset: float
    spread: float | None
    error: float
    images: int
    points: int
    near: float
    far: float
    focal: float
    method: str
    heights: tuple[float, float] | None = None

    def __call__(self, depth: Tensor) -> Tensor:
        """Depth of the model, any shape, > 0 -> metres."""
        if self.form == 'scale':
            return depth * self.gain
        if self.form == 'log-affine':
            return (self.offset + self.gain * depth.log()).exp()
        return 1 / (self.offset + self.gain / depth).clamp(min=1 / _FARTHEST)

    def fits(self, focal: float, tolerance: float = 0.02) -> bool:
        """Whether a camera has the focal length (over its image width) of the calibration."""
        return abs(focal / self.focal - 1) <= tolerance

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and text, for files."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str) -> DepthCalibration:
        """Inverse of `as_dict`.

        Args:
            source: of the values, for errors.

        Raises:
            DamagedFileError: other fields, or values that are no calibration.
        """
        try:
            found = cls(**values)
            numbers = [found.gain, found.offset, found.near, found.far, found.focal]
            heights = found.heights and tuple(map(float, found.heights))
            good = found.form in get_args(CalibrationForm) and np.isfinite(numbers).all()
            if not good or found.gain <= 0 or found.focal <= 0:
                raise ValueError(str(values))
        except (TypeError, ValueError) as error:
            raise DamagedFileError(
                f'{source}: expected a depth calibration with {[x.name for x in fields(cls)]}, got '
                f'{str(error)[:300]}; make it again: hybrid-depth calibrate'
            ) from error
        return cls(**{**values, 'heights': heights})

    def __str__(self) -> str:
        law = dict(
            scale=f'{self.gain:.4g} z',
            affine=f'1 / ({self.offset:.4g} + {self.gain:.4g} / z)',
        ).get(self.form, f'{np.exp(self.offset):.4g} z^{self.gain:.4g}')
        spread = 'unknown (one image)' if self.spread is None else f'{self.spread:.1%}'
        return (
            f'metres = {law} by {self.method}, for a focal length of {self.focal:.3f} image '
            f'widths: spread among images {spread}, error of a point {self.error:.1%}, '
            f'{self.points} points of {self.images} images, {self.near:.1f} to {self.far:.1f} m'
        )


def fit_depth_calibration(
    depth: Sequence[np.ndarray],
    metres: Sequence[np.ndarray],
    focal: float,
    method: str,
    form: CalibrationForm = 'scale',
    heights: tuple[float, float] | None = None,
) -> DepthCalibration:
    """Calibration from points of known distance.

    Least absolute relative error, so that half of the points may be wrong; images count the same,
    however many points they have.

    Args:
        depth: per image (N,) depth of the model, > 0.
        metres: per image (N,) along the camera's axis, > 0.
        focal, method, form, heights: see `DepthCalibration`.

    Raises:
        DepthDataError: an unknown form, too few points or too small a range for it, or depth that
            does not grow with the distance.

    Example:
        >>> metres = np.array([4.0, 10.0, 30.0])
        >>> disparity = 3 / metres + 0.2  # of a model with an offset
        >>> found = fit_depth_calibration([1 / disparity], [metres], 0.6, 'tape', 'affine')
        >>> found(torch.from_numpy(1 / disparity)).round(decimals=3).tolist()
        [4.0, 10.0, 30.0]
    """
    if form not in get_args(CalibrationForm):
        raise DepthDataError(f'expected a form among {get_args(CalibrationForm)}, got {form!r}')
    pairs = [(d, m) for d, m in zip(depth, metres, strict=True) if len(d)]
    z = np.concatenate([np.zeros(0), *(d for d, _ in pairs)])
    truth = np.concatenate([np.zeros(0), *(m for _, m in pairs)])
    if len(z) < _LEAST[form]:
        raise DepthDataError(
            f'expected at least {_LEAST[form]} points of known distance for the form {form}, got '
            f'{len(z)} by {method}; give more images or points'
        )
    near, far = float(truth.min()), float(truth.max())
    if form != 'scale' and far < _LEAST_RANGE * near:
        raise DepthDataError(
            f'expected points of which the farthest is {_LEAST_RANGE} times as far as the nearest '
            f"for the form {form}, got {near:.2f} to {far:.2f} m by {method}; use form 'scale'"
        )
    weights = np.concatenate([np.full(len(d), 1 / len(d)) for d, _ in pairs])
    gain, offset = _fit(form, z, truth, weights)
    if gain <= 0:
        raise DepthDataError(
            f'expected depth that grows with the distance, got a gain of {gain:.3g} ({form}) from '
            f"{len(z)} points by {method}; is the model trained? Use form 'scale' otherwise"
        )
    found = DepthCalibration(
        form, gain, offset, None, 0.0, len(pairs), len(z), near, far, focal, method, heights
    )
    ratios = [m / found(torch.from_numpy(np.asarray(d, np.float64))).numpy() for d, m in pairs]
    factors = np.array([np.median(x) for x in ratios])
    errors = np.abs(1 / np.concatenate(ratios) - 1)
    spread = None
    if len(pairs) > 1:
        logs = np.log(factors)
        spread = float(_MAD * np.median(np.abs(logs - np.median(logs))))
    values = dict(found.as_dict(), spread=spread, error=_weighted_median(errors, weights))
    return DepthCalibration(**values)


def _fit(form: str, z: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Gain and offset of the least absolute log residuals."""
    if form == 'scale':
        return float(np.exp(_weighted_median(np.log(truth / z), weights))), 0.0
    if form == 'log-affine':
        rows, target = np.stack((np.log(z), np.ones_like(z)), 1), np.log(truth)
        gain, offset = _least_absolute(rows, target, weights)
        return float(gain), float(offset)
    rows = np.stack((1 / z, np.ones_like(z)), 1)
    solution = _least_absolute(rows, 1 / truth, weights)
    for _ in range(_ROUNDS):  # from absolute to log residuals of the disparity
        disparity = np.maximum(rows @ solution, 1 / _FARTHEST)
        residual = np.log(truth * disparity)
        solution = solution - _step(rows / disparity[:, None], residual, weights)
    return float(solution[0]), float(solution[1])


def _least_absolute(rows: np.ndarray, target: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(2,) that minimise the weighted absolute residuals, by reweighted least squares."""
    solution = np.linalg.lstsq(rows, target, rcond=None)[0]
    for _ in range(_ROUNDS):
        solution = solution - _step(rows, rows @ solution - target, weights)
    return solution


def _step(rows: np.ndarray, residual: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(2,) step of least squares with the weights of absolute residuals."""
    share = weights / np.maximum(np.abs(residual), 1e-6)
    return np.linalg.solve(rows.T @ (rows * share[:, None]), rows.T @ (share * residual))


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Middle of the two values that halve the weights, as numpy's median if all are equal."""
    order = np.argsort(values)
    values, below = values[order], np.cumsum(weights[order])
    low, high = (np.searchsorted(below, below[-1] / 2 * (1 + sign * 1e-12)) for sign in (-1, 1))
    return float((values[low] + values[min(high, len(values) - 1)]) / 2)
