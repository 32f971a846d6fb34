"""The probability of a centre against minima of the loss that trains the heat map."""

import pytest
import torch
from mmdet.models.losses import GaussianFocalLoss

from hybrid_depth.bev.heads.centre_probability import centre_probability


@pytest.mark.parametrize('rate', [1e-4, 1 / 400, 0.05, 0.3, 0.5, 0.8])
def test_it_is_the_rate_whose_expected_loss_is_least_at_the_heat(rate):
    heat = torch.linspace(0.002, 0.998, 9_961, dtype=torch.float64)
    loss = GaussianFocalLoss(reduction='none')
    centre, none = (loss(heat, torch.full_like(heat, x)) for x in (1.0, 0.0))
    best = heat[(rate * centre + (1 - rate) * none).argmin()]
    torch.testing.assert_close(centre_probability(best).item(), rate, rtol=0.02, atol=0)


def test_no_information_about_a_street_is_a_heat_of_a_tenth():
    # a demo's sheet had over a hundred boxes of a score above 0.1, where nothing was seen
    assert centre_probability(torch.tensor(0.1)).item() == pytest.approx(1 / 380, rel=0.01)


def test_it_keeps_order_and_limits_in_single_precision():
    heat = torch.tensor([-200.0, -20, -3, 0, 3, 200]).sigmoid()
    probability = centre_probability(heat)
    assert (probability.diff() > 0).all()
    assert probability[[0, 3, -1]].tolist() == [0, 0.5, 1]
