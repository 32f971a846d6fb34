import pytest
import torch

from hybrid_depth.geometry import DepthBins
from hybrid_depth.losses import depth_distribution_loss
from tests.golden.bevdet import feature
from tests.golden.reader import Golden

DEPTH = Golden('bevdet_depth')


@pytest.mark.parametrize('step', [1.0, 0.5])
@pytest.mark.parametrize('view', ['test', 'aug'])
def test_bce_equals_golden(view, step):
    bins = DepthBins(1.0, 60.0, step=step)
    name = f'D{bins.num}'
    index = DEPTH[f'{view}.bins.{name}'].long()
    target = torch.nn.functional.one_hot(index + 1, bins.num + 1)[..., 1:].permute(0, 3, 1, 2)
    logits = feature(f'depth_logits{bins.num}', (6, bins.num, 16, 44))
    loss = 3.0 * depth_distribution_loss(logits, target)
    DEPTH.check(f'{view}.loss.{name}', loss, 1e-5)

    # The official gradient is of the probabilities. The gradient of the logits is without its mean
    # over a pixel, as probabilities sum to one; float64, as it is divided by them.
    logits = logits.double().requires_grad_()
    (3.0 * depth_distribution_loss(logits, target)).backward()
    prob, supervised = logits.detach().softmax(1), target.sum(1, keepdim=True)
    mean = 3.0 / supervised.sum() * ((prob - target) / (1 - prob)).sum(1, keepdim=True)
    DEPTH.check(f'{view}.loss_grad.{name}', logits.grad / prob + mean * supervised, 1e-5)


def test_unsupervised_pixels_are_ignored():
    logits, target = torch.randn(1, 4, 2, 2), torch.zeros(1, 4, 2, 2)
    assert depth_distribution_loss(logits, target) == 0
    target[0, 2, 0, 0] = 1
    one = depth_distribution_loss(logits, target, 'cross_entropy')
    torch.testing.assert_close(one, -logits[0, :, 0, 0].log_softmax(0)[2])


@pytest.mark.parametrize('form', ['bce', 'cross_entropy'])
def test_saturated_logits_keep_a_finite_loss_and_gradient(form):
    logits = torch.tensor([200.0, -200.0]).view(1, 2, 1, 1).requires_grad_()
    target = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1)
    loss = depth_distribution_loss(logits, target, form)
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()


def test_nan_reaches_the_loss_instead_of_aborting():
    # torch's BCE asserts on the device (github.com/HuangJunJie2017/BEVDet, issue 229); ours must
    # let NaNGuardHook name the term.
    logits = torch.full((1, 2, 1, 1), torch.nan)
    assert depth_distribution_loss(logits, torch.ones(1, 2, 1, 1) / 2).isnan()


def test_bad_arguments_are_rejected():
    with pytest.raises(ValueError, match='one shape'):
        depth_distribution_loss(torch.zeros(1, 2, 1, 1), torch.zeros(1, 3, 1, 1))
    with pytest.raises(ValueError, match='form'):
        depth_distribution_loss(torch.zeros(1, 2, 1, 1), torch.zeros(1, 2, 1, 1), 'mse')
