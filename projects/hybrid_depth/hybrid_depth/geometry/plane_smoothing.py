"""Ground planes of a drive, each estimated from the fits of all frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .ground_plane_fit import GroundPlaneFit

_VARYING = 0.25  # of the prior's variance changes along a drive, the rest is that of the vehicle
_MEMORY = 4  # windows, time constant of the changes: 5 s at 10 Hz
_MEASURED = 0.05  # least relative decrease of the variance of a direction that a fit measured
_GATE = 7.8  # squared distance that 5 % of normal errors exceed, 3 dimensions
_ROUNDS = 10
_SUM = np.hstack((np.eye(3), np.eye(3)))  # the plane is a constant and a varying deviation


def smooth_planes(
    fits: Sequence[GroundPlaneFit], priors: Sequence[GroundPlaneFit], window: int
) -> list[GroundPlaneFit]:
    """Most probable planes of all frames of a drive, from the fits of earlier and later frames.

    A Rauch-Tung-Striebel smoother (AIAA Journal 3(8), 1965). The deviation from the calibration is
    a constant (mounting, load) and a Gauss-Markov process (pitching and rolling, the shape of the
    road), whose variances add up to that of the prior. Fits in one window share images and texture,
    so they count together as one. A fit that the others contradict counts less
    (docs/reference/ground_plane.md, "Planes of a drive").

    Args:
        fits: of each frame alone, in order of time; those with `used` = 0 measured nothing.
        priors: distributions that the fits started from.
        window: frames, largest distance of the images that one fit uses.

    Returns:
        One plane per frame; a single fit that its prior expects as it is, the priors without fits.

    Raises:
        ValueError: fits and priors differ in number, or the window is below 1.

    Example:
        >>> from hybrid_depth.geometry import GroundPlane
        >>> prior = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65))
        >>> noise = np.random.default_rng(0).normal(0, 0.01, 100)  # of the pitch
        >>> planes = [GroundPlane.from_angles(1.65, 0.005 + x) for x in noise]
        >>> fits = [prior.update(p.inverse.numpy(), prior.covariance / 2, 100) for p in planes]
        >>> smooth = smooth_planes(fits, [prior] * 100, window=4)
        >>> errors = [[float(x.plane.pitch) - 0.005 for x in planes] for planes in (fits, smooth)]
        >>> bool(np.std(errors[1]) < np.std(errors[0]) / 2)
        True
    """
    if len(fits) != len(priors) or window < 1:
        raise ValueError(
            f'smooth_planes: expected as many fits as priors and a window of 1 frame or more, got '
            f'{len(fits)}, {len(priors)} and {window}'
        )
    used = np.array([x.used > 0 for x in fits], bool)
    if not used.any():
        return list(priors)
    found = [_measurement(*x) for x in zip(fits, priors, strict=True)]
    frames = np.flatnonzero(used)
    ends = np.searchsorted(frames, frames + window / 2, side='right')
    shares = np.ones(len(fits))
    shares[frames] = 1 / (ends - np.searchsorted(frames, frames - window / 2))
    weights = np.ones(len(fits))
    for _ in range(_ROUNDS):
        stated = [x.times(weight) for x, weight in zip(found, weights, strict=True)]
        counted = [x.times(share) for x, share in zip(stated, shares, strict=True)]
        states = _smooth(counted, np.exp(-1 / (_MEMORY * window)))
        distances = [_distance(*x) for x in zip(stated, counted, states, strict=True)]
        last, weights = weights, np.minimum(weights * _GATE / np.maximum(distances, 1e-9), 1)
        if np.abs(weights - last).max() < 1e-3:
            break
    return [
        GroundPlaneFit(prior.inverse + root @ mean, root @ covariance @ root.T, fit.used)
        for fit, prior, (mean, covariance) in zip(fits, priors, states, strict=True)
        for root in [np.linalg.cholesky(prior.covariance)]
    ]


@dataclass(frozen=True)
class _Measurement:
    """What a fit measured, in units in which its prior has mean 0 and covariance 1.

    Attributes:
        value: (3,); 0 in directions that were not measured.
        information: (3, 3), inverse covariance.
    """

    value: np.ndarray
    information: np.ndarray

    def times(self, weight: float) -> _Measurement:
        return _Measurement(self.value, self.information * weight)


def _measurement(fit: GroundPlaneFit, prior: GroundPlaneFit) -> _Measurement:
    """The fit without its prior."""
    if not fit.used:
        return _Measurement(np.zeros(3), np.zeros((3, 3)))
    unit = np.linalg.inv(np.linalg.cholesky(prior.covariance))
    variances, axes = np.linalg.eigh(unit @ fit.covariance @ unit.T)
    axes, variances = (x[..., variances < 1 - _MEASURED] for x in (axes, variances))
    along = axes.T @ unit @ (fit.inverse - prior.inverse)
    # 1 / variance = 1 + information, mean / variance = information * value
    value = axes @ (along / (1 - variances))
    return _Measurement(value, axes * (1 / variances - 1) @ axes.T)


def _smooth(measurements: list[_Measurement], keep: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Mean (3,) and covariance (3, 3) of each frame.

    Args:
        measurements: of each frame.
        keep: correlation of the varying deviation of successive frames.
    """
    start = np.repeat((1 - _VARYING, _VARYING), 3)
    step, noise = np.repeat((1, keep), 3), np.repeat((0, (1 - keep**2) * _VARYING), 3)
    mean, covariance = np.zeros(6), np.diag(start)
    filtered = []
    for index, measured in enumerate(measurements):
        if index:
            mean, covariance = step * mean, covariance * np.outer(step, step) + np.diag(noise)
        predicted = mean, covariance
        information = _SUM.T @ measured.information @ _SUM
        covariance = np.linalg.solve(np.eye(6) + covariance @ information, covariance)
        covariance = (covariance + covariance.T) / 2
        mean = mean + covariance @ (
            _SUM.T @ measured.information @ measured.value - information @ mean
        )
        filtered.append((predicted, (mean, covariance)))
    states = [(mean, covariance)]
    for (_, here), (ahead, _) in zip(filtered[-2::-1], filtered[:0:-1], strict=True):
        gain = np.linalg.solve(ahead[1], step[:, None] * here[1]).T
        mean = here[0] + gain @ (mean - ahead[0])
        covariance = here[1] + gain @ (covariance - ahead[1]) @ gain.T
        states.append((mean, covariance))
    return [(_SUM @ mean, _SUM @ covariance @ _SUM.T) for mean, covariance in states[::-1]]


def _distance(
    found: _Measurement, counted: _Measurement, state: tuple[np.ndarray, np.ndarray]
) -> float:
    """Squared distance of a measurement from what all others expect, in standard deviations.

    Args:
        found: the measurement.
        counted: what of it is part of the state.
        state: mean and covariance, by all measurements.
    """
    mean, covariance = state
    others = np.linalg.inv(covariance) - counted.information
    covariance = np.linalg.inv(others)
    mean = mean + covariance @ counted.information @ (mean - found.value)
    error = found.value - mean
    # (R + P)^-1 = L (1 + P L)^-1 with L = R^-1, which may be singular
    spread = np.eye(3) + covariance @ found.information
    return error @ found.information @ np.linalg.solve(spread, error)
