"""Calibration of depth, against laws that the tests make up."""

import math

import numpy as np
import pytest
import torch

from hybrid_depth.errors import DamagedFileError, DepthDataError
from hybrid_depth.geometry.depth_calibration import DepthCalibration, fit_depth_calibration

LAWS = {
    'scale': lambda z: 7 * z,
    'log-affine': lambda z: 3 * z**1.3,
    'affine': lambda z: 1 / (0.01 + 0.2 / z),
}


def images(law, count=9, noise=0.0, seed=0):
    """Depth of a model and metres, of images with few and with many points."""
    random = np.random.default_rng(seed)
    depth = [random.uniform(0.5, 8, 5 + 300 * (i % 3)) for i in range(count)]
    factor = np.exp(noise * random.standard_normal(count))
    return depth, [law(z) * f for z, f in zip(depth, factor, strict=True)]


@pytest.mark.parametrize('form', LAWS)
def test_a_law_is_found_despite_wrong_points(form):
    depth, metres = images(LAWS[form])
    for values in metres:
        values[: len(values) * 2 // 5] *= 3  # as of a moving car
    found = fit_depth_calibration(depth, metres, 0.6, 'test', form)
    z = torch.linspace(0.5, 8, 20).double()
    torch.testing.assert_close(found(z), torch.from_numpy(LAWS[form](z.numpy())), rtol=2e-3, atol=0)
    assert found.images == 9 and found.points == sum(map(len, depth))


def test_spread_is_that_of_the_images():
    depth, metres = images(LAWS['scale'], 400, 0.1)
    found = fit_depth_calibration(depth, metres, 0.6, 'test')
    assert found.spread == pytest.approx(0.1, rel=0.15)
    assert found.error == pytest.approx(0.0674, rel=0.2)  # median of |normal| of 0.1
    assert found.gain == pytest.approx(7, rel=0.02)
    alone = fit_depth_calibration(depth[:1], metres[:1], 0.6, 'test')
    assert alone.spread is None and 'one image' in str(alone)


def test_images_count_the_same():
    """An image with a thousand times the points does not outvote two others."""
    depth = [np.ones(5), np.ones(5), np.ones(5000)]
    metres = [np.full(5, 2.0), np.full(5, 2.0), np.full(5000, 9.0)]
    assert fit_depth_calibration(depth, metres, 0.6, 'test').gain == pytest.approx(2)


@pytest.mark.parametrize(
    ('depth', 'metres', 'form', 'match'),
    [
        ([], [], 'scale', 'at least 1 points .* got 0'),
        ([1.0, 2.0], [2.0, 4.0], 'affine', 'at least 3 points'),
        ([1.0, 1.1, 1.2], [9.0, 10.0, 11.0], 'log-affine', "9.00 to 11.00 m .*use form 'scale'"),
        ([4.0, 2.0, 1.0], [2.0, 4.0, 8.0], 'log-affine', 'grows with the distance'),
        ([4.0, 2.0, 1.0], [2.0, 4.0, 8.0], 'cubic', 'expected a form'),
    ],
)
def test_points_that_do_not_suffice(depth, metres, form, match):
    with pytest.raises(DepthDataError, match=match):
        fit_depth_calibration([np.array(depth)], [np.array(metres)], 0.6, 'test', form)


def test_an_affine_disparity_that_vanishes_is_far():
    found = fit_depth_calibration(
        [np.array([1.0, 2, 4])], [np.array([1.1, 2.5, 6.7])], 0.6, 't', 'affine'
    )
    assert found.offset < 0
    assert found(torch.tensor([1e6])).item() == pytest.approx(1000)


def test_plain_values_and_back():
    depth, metres = images(LAWS['scale'])
    found = fit_depth_calibration(depth, metres, 0.6, 'test', heights=(1.5, 1.6))
    values = found.as_dict()
    assert DepthCalibration.from_dict(values, 'f') == found
    for change in (dict(gain=math.nan), dict(gain=-1.0), dict(form='x'), dict(more=1)):
        with pytest.raises(DamagedFileError, match='f: expected a depth calibration'):
            DepthCalibration.from_dict({**values, **change}, 'f')
    assert found.fits(0.61) and not found.fits(0.63)
