"""Smoothed planes of drives whose true planes are known."""

import math

import numpy as np
import pytest

from hybrid_depth.geometry import GroundPlane, GroundPlaneFit, smooth_planes

PRIOR = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65))
ROOT = np.linalg.cholesky(PRIOR.covariance)
OFFSET = GroundPlane.from_angles(1.68, math.radians(0.9), math.radians(-1.2)).inverse.numpy()
WINDOW = 6


def fit_of(measured, spread):
    """Fit to a measured plane whose errors have `spread` times the deviations of the prior."""
    covariance = np.linalg.inv(np.eye(3) * (1 + spread**-2))
    mean = covariance @ np.linalg.solve(ROOT, measured - PRIOR.inverse) / spread**2
    return GroundPlaneFit(PRIOR.inverse + ROOT @ mean, ROOT @ covariance @ ROOT.T, 100)


def drive(rng, frames=120, spread=0.4, shared=WINDOW, offset=OFFSET - PRIOR.inverse):
    """True planes (N, 3) and fits: a constant, slow changes, errors that frames share."""
    changes = np.zeros((frames, 3))
    changes[0] = rng.normal(0, 0.5, 3)
    keep = math.exp(-1 / (4 * WINDOW))
    for k in range(1, frames):
        changes[k] = keep * changes[k - 1] + rng.normal(0, 0.5 * math.sqrt(1 - keep**2), 3)
    true = PRIOR.inverse + offset + changes @ ROOT.T
    # sums over `shared` frames of independent errors
    errors = np.cumsum(rng.normal(0, spread, (frames + shared, 3)), 0)
    errors = (errors[shared:] - errors[:-shared]) / math.sqrt(shared)
    return true, [fit_of(x, spread) for x in true + errors @ ROOT.T]


def errors_of(planes, true):
    """(N, 3) errors in deviations of the prior."""
    return np.linalg.solve(ROOT, (np.array([x.inverse for x in planes]) - true).T).T


def rms(values):
    return math.sqrt(np.mean(np.square(values)))


def normalised(planes, true):
    """(N,) squared errors over stated deviations; 3 on average if these are right."""
    errors = true - [x.inverse for x in planes]
    return np.array(
        [e @ np.linalg.solve(x.covariance, e) for e, x in zip(errors, planes, strict=True)]
    )


def test_better_than_each_fit_and_than_the_calibration():
    true, fits = drive(np.random.default_rng(0))
    smooth = smooth_planes(fits, [PRIOR] * len(fits), WINDOW)
    error = rms(errors_of(smooth, true))
    assert error < 0.85 * rms(errors_of(fits, true))
    assert error < 0.3 * rms(errors_of([PRIOR] * len(fits), true))
    assert [x.used for x in smooth] == [100] * len(fits)


@pytest.mark.parametrize('shared', [1, WINDOW])
def test_deviations_are_those_of_the_errors(shared):
    """Also where a fit shares its error with the next ones: nothing is counted twice."""
    scores, offsets = [], np.random.default_rng(9).normal(0, math.sqrt(0.75), (40, 3))
    for seed, offset in enumerate(offsets):
        true, fits = drive(np.random.default_rng(seed), 40, shared=shared, offset=ROOT @ offset)
        scores.append(normalised(smooth_planes(fits, [PRIOR] * 40, WINDOW), true))
    if shared == 1:  # independent errors are taken as dependent: too careful
        assert 0.5 < np.mean(scores) / 3 < 1
    else:
        assert 0.6 < np.mean(scores) / 3 < 1.2


def test_as_the_regression_of_the_whole_drive_at_once():
    """The filter and its way back, against one linear system of all frames."""
    _, fits = drive(np.random.default_rng(1), 20)
    fits[4] = fits[11] = PRIOR
    used = [k for k in range(20) if k not in (4, 11)]
    times = np.arange(20)
    kernel = 0.75 + 0.25 * np.exp(-np.abs(times[:, None] - times) / (4 * WINDOW))
    near = [sum(abs(j - k) <= WINDOW / 2 for j in used) for k in used]
    noise = np.diag(0.4**2 * np.array(near))
    values = [np.linalg.solve(ROOT, fits[k].inverse - PRIOR.inverse) * (1 + 0.4**2) for k in used]
    gain = kernel[:, used] @ np.linalg.inv(kernel[np.ix_(used, used)] + noise)
    mean, covariance = gain @ np.array(values), kernel - gain @ kernel[used]
    smooth = smooth_planes(fits, [PRIOR] * 20, WINDOW)
    np.testing.assert_allclose(errors_of(smooth, PRIOR.inverse), mean, atol=1e-9)
    for plane, variance in zip(smooth, np.diag(covariance), strict=True):
        np.testing.assert_allclose(plane.covariance, PRIOR.covariance * variance, atol=1e-12)
    assert smooth[4].used == 0 and smooth[5].used == 100


def test_one_frame_keeps_its_fit_and_a_drive_without_fits_its_priors():
    _, (fit,) = drive(np.random.default_rng(2), 1)
    (smooth,) = smooth_planes([fit], [PRIOR], WINDOW)
    np.testing.assert_allclose(smooth.inverse, fit.inverse)
    np.testing.assert_allclose(smooth.covariance, fit.covariance, atol=1e-15)
    for plane in smooth_planes([PRIOR] * 3, [PRIOR] * 3, WINDOW):
        assert plane is PRIOR
    assert smooth_planes([], [], WINDOW) == []


def test_fits_that_contradict_the_drive_hardly_count():
    true, fits = drive(np.random.default_rng(3))
    plain = smooth_planes(fits, [PRIOR] * len(fits), WINDOW)
    wrong = GroundPlane.from_angles(1.6, math.radians(-3.3), math.radians(7.0)).inverse.numpy()
    for k in (0, 50, 51, 119):
        fits[k] = fit_of(wrong, 0.05)
    smooth = smooth_planes(fits, [PRIOR] * len(fits), WINDOW)
    moved = errors_of(smooth, [x.inverse for x in plain])
    assert np.abs(moved).max() < 0.35  # these fits are five to ten deviations away
    assert normalised(smooth, true).mean() / 3 < 1.3


def test_a_wrong_fit_does_not_vouch_for_itself():
    """Among few fits, one that is exact by its own account is compared with the others only."""
    fits = [PRIOR] * 61
    fits[0] = fits[30] = fit_of(PRIOR.inverse, 0.3)
    fits[60] = fit_of(PRIOR.inverse + ROOT @ np.array([0, 0, 5]), 0.05)
    smooth = smooth_planes(fits, [PRIOR] * 61, WINDOW)
    assert np.abs(errors_of(smooth, PRIOR.inverse)).max() < 1.2


def test_a_real_change_is_followed():
    """A step that all later fits agree on is no outlier."""
    steep = GroundPlane.from_angles(1.65, math.radians(1.5)).inverse.numpy()
    fits = [fit_of(PRIOR.inverse, 0.1)] * 60 + [fit_of(steep, 0.1)] * 60
    smooth = smooth_planes(fits, [PRIOR] * 120, WINDOW)
    pitches = [math.degrees(x.plane.pitch) for x in (smooth[40], smooth[80])]
    np.testing.assert_allclose(pitches, [0, 1.5], atol=0.1)


def test_what_no_fit_measures_stays_that_of_the_calibration():
    """Without lengths of the motion no frame measures the height, however many there are."""
    true = GroundPlane.from_angles(1.0, math.radians(0.9), math.radians(-1.2)).inverse.numpy()
    fit = PRIOR.update_attitude(true, PRIOR.covariance * 0.5, 100)
    plane = smooth_planes([fit] * 80, [PRIOR] * 80, WINDOW)[40]
    # height and attitude are independent to first order only
    np.testing.assert_allclose(float(plane.plane.height), 1.65, atol=0.01)
    np.testing.assert_allclose(plane.height_std, PRIOR.height_std, rtol=0.01)
    assert plane.pitch_std < fit.pitch_std and plane.roll_std < fit.roll_std


def test_each_frame_has_its_own_calibration():
    """Deviations are shared, not planes: cameras of a rig that is calibrated anew each frame."""
    nominal = [
        GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65, 0.001 * k)) for k in range(9)
    ]
    fits = [
        x.update(
            GroundPlane.from_angles(1.65, float(x.plane.pitch) + 0.01).inverse.numpy(),
            x.covariance / 1e4,
            50,
        )
        for x in nominal
    ]
    smooth = smooth_planes(fits, nominal, WINDOW)
    pitches = [float(x.plane.pitch) for x in smooth]
    np.testing.assert_allclose(pitches, 0.01 + 0.001 * np.arange(9), atol=1e-4)


@pytest.mark.parametrize(('priors', 'window'), [([PRIOR], 6), ([PRIOR] * 2, 0)])
def test_bad_arguments(priors, window):
    with pytest.raises(ValueError, match='as many fits as priors and a window'):
        smooth_planes([PRIOR] * 2, priors, window)
