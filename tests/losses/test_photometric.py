import pytest
import torch

from hybrid_depth.losses import PhotometricError, reprojection_minimum
from tests.golden.monodepth2 import image
from tests.golden.reader import Golden

LAYERS = Golden('monodepth2_layers')


@pytest.fixture
def images():
    return image('ssim.x', (2, 3, 20, 60)), image('ssim.y', (2, 3, 20, 60))


def test_golden(images):
    x, y = images
    LAYERS.check('ssim', PhotometricError(y).ssim_loss(x), 1e-4)
    LAYERS.check('ssim.same', PhotometricError(x).ssim_loss(x), 1e-6, scale=1)
    LAYERS.check('reprojection', PhotometricError(y)(x), 1e-4)
    LAYERS.check('reprojection.no_ssim', PhotometricError(y, ssim_weight=0)(x), 1e-6)


def test_equal_images_have_no_error(images):
    assert PhotometricError(images[0])(images[0]).abs().max() < 1e-6


def test_sources_in_a_leading_dimension(images):
    x, y = images
    error = PhotometricError(y)
    both = error(torch.stack([x, 1 - x]))
    assert both.shape == (2, 2, 1, 20, 60)
    assert torch.equal(both[0], error(x)) and torch.equal(both[1], error(1 - x))


def test_gradient():
    target = torch.rand(1, 3, 4, 5, dtype=torch.float64)
    prediction = torch.rand(1, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(PhotometricError(target), prediction)


def errors(*rows):
    return torch.tensor(rows).view(len(rows), 1, 1, 1, -1)


def test_minimum_over_sources():
    smallest, wins = reprojection_minimum(errors([3.0, 1], [2.0, 4]))
    assert smallest.flatten().tolist() == [2, 1] and wins.all()


def test_automask_removes_static_pixels():
    smallest, wins = reprojection_minimum(errors([3.0, 1]), errors([2.0, 2]))
    assert smallest.flatten().tolist() == [2, 1]
    assert wins.flatten().tolist() == [False, True]


def test_average_comes_before_the_minimum():
    warped, unwarped = errors([1.0, 5], [3.0, 5]), errors([0.0, 9], [6.0, 9])
    smallest, wins = reprojection_minimum(warped, unwarped, average=True)
    assert smallest.flatten().tolist() == [2, 5] and wins.all()


def test_tie_break_noise_is_small_seeded_and_only_on_unwarped_errors():
    same = torch.ones(2, 1, 1, 40, 50)
    torch.manual_seed(3)
    smallest, wins = reprojection_minimum(same, same, tie_break=1e-5)
    assert 0.1 < wins.float().mean() < 0.4 and (smallest - 1).abs().max() < 1e-4
    assert (smallest[wins] == 1).all()
    torch.manual_seed(3)
    assert torch.equal(wins, reprojection_minimum(same, same, tie_break=1e-5)[1])
    assert not reprojection_minimum(same, same)[1].any()


def test_ties_can_be_kept():
    warped, unwarped = errors([1.0, 2, 3]), errors([1.0, 1, 4])
    assert reprojection_minimum(warped, unwarped)[1].flatten().tolist() == [False, False, True]
    smallest, wins = reprojection_minimum(warped, unwarped, keep_ties=True)
    assert wins.flatten().tolist() == [True, False, True]
    assert smallest.flatten().tolist() == [1, 1, 3]
    assert reprojection_minimum(warped, keep_ties=True)[1].all()
