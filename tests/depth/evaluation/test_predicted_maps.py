"""Predictions of crops."""

from dataclasses import replace

import numpy as np
import pytest

from hybrid_depth.depth.evaluation.predicted_maps import uncrop
from hybrid_depth.depth.evaluation.protocols import PROTOCOLS
from hybrid_depth.depth.evaluation.scoring import score_image
from hybrid_depth.errors import DepthDataError

EIGEN = PROTOCOLS['kitti_eigen']


@pytest.mark.parametrize('kind', ['disparity', 'metric'])
def test_prediction_of_a_crop_is_compared_where_the_crop_is(kind):
    """The protocol's crop stays relative to the whole image; no pixel outside the crop counts."""
    truth = np.random.default_rng(1).uniform(2, 70, (40, 60)).astype(np.float32)
    protocol = replace(EIGEN, name='metres', scaling='none', resized='depth')
    box = (5, 20, 59, 38)
    depth = 1.1 * truth[20:38, 5:59]
    prediction = 1 / depth if kind == 'disparity' else depth
    whole, inside = uncrop(prediction[None], truth, box, kind, protocol)
    score = score_image(whole, inside, protocol, kind)
    rows, columns = slice(20, 38), slice(5, int(0.96405229 * 60))  # of crop and Garg's crop
    assert score.pixels == truth[rows, columns].size
    compared = truth[rows, columns]
    expected = np.abs(np.minimum(1.1 * compared, 80) / compared - 1).mean()
    assert score.errors[0] == pytest.approx(expected, rel=1e-5)
    with pytest.raises(DepthDataError, match='of 60x40 pixels, got .*59, 41'):
        uncrop(prediction, truth, (5, 20, 59, 41), kind, protocol)


def test_prediction_of_a_smaller_size_is_resized_to_the_crop():
    truth = np.full((40, 60), 10, np.float32)
    protocol = replace(EIGEN, scaling='none')
    whole, inside = uncrop(np.full((9, 25), 0.05), truth, (5, 20, 55, 38), 'disparity', protocol)
    assert whole.shape == truth.shape and (whole[20:38, 5:55] == 0.05).all()
    assert (inside > 0).sum() == 18 * 50
