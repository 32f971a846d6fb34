import pytest
import torch

from hybrid_depth.geometry import DepthBins
from tests.golden.reader import Golden

GEOMETRY = Golden('bevdet_geometry')


def test_uniform_bins_cover_the_range():
    bins = DepthBins(1.0, 60.0, step=0.5)
    assert bins.num == 118
    assert torch.equal(bins.edges[[0, 1, -1]], torch.tensor([1.0, 1.5, 60.0]))
    assert torch.equal(DepthBins(1.0, 60.0, step=0.5, anchor='lower').anchors, bins.edges[:-1])
    assert torch.equal(bins.anchors, bins.edges[:-1] + 0.25)


def test_log_bins_equal_official_sid():
    bins = DepthBins(1.0, 60.0, step=0.5, spacing='log', anchor='lower')
    GEOMETRY.check_each('frustum.sid_bins', bins.anchors, 1e-6)


def test_index_is_minus_one_outside():
    bins = DepthBins(1.0, 4.0, step=1.0)
    depth = torch.tensor([0.0, 0.99, 1.0, 1.99, 2.0, 3.99, 4.0, torch.inf])
    assert bins.index(depth).tolist() == [-1, -1, 0, 0, 1, 2, -1, -1]


def test_targets_are_distributions_inside_and_zero_outside():
    bins = DepthBins(1.0, 9.0, step=1.0)
    depth = torch.tensor([[[0.0, 1.2, 5.5, 8.9, 12.0]]])
    for target in (bins.one_hot(depth), bins.soft(depth, sigma=0.7)):
        assert target.shape == (1, 8, 1, 5)
        torch.testing.assert_close(target.sum(1)[0, 0], torch.tensor([0.0, 1, 1, 1, 0]))
    assert bins.soft(depth)[0, :, 0, 2].argmax() == 4


@pytest.mark.parametrize('spacing', ['uniform', 'log'])
def test_soft_targets_are_gaussian_in_units_of_the_bin(spacing):
    bins = DepthBins(2.0, 42.0, num=10, spacing=spacing)
    edges, centres = bins.edges.tolist(), bins.centres.tolist()
    for depth in (3.1, 17.0, 33.3):
        bin_index = next(i for i in range(10) if edges[i] <= depth < edges[i + 1])
        width = 0.7 * (edges[bin_index + 1] - edges[bin_index])
        bell = torch.tensor([-(((depth - centre) / width) ** 2) / 2 for centre in centres]).exp()
        found = bins.soft(torch.full((1, 1, 1), depth), sigma=0.7).flatten()
        torch.testing.assert_close(found, bell / bell.sum())


def test_expectation_of_one_hot_is_the_bin_centre():
    bins = DepthBins(1.0, 9.0, step=1.0, anchor='lower')
    depth = torch.tensor([[[1.2, 5.7]]])
    assert bins.expectation(bins.one_hot(depth)).tolist() == [[[1.5, 5.5]]]


@pytest.mark.parametrize(
    'kwargs',
    [
        dict(start=5, stop=2, step=1),
        dict(start=1, stop=2),
        dict(start=1, stop=2, step=1, num=3),
        dict(start=1, stop=2, step=1, spacing='linear'),
        dict(start=1, stop=2, step=1, anchor='upper'),
    ],
)
def test_bad_arguments_are_rejected(kwargs):
    with pytest.raises(ValueError, match='DepthBins'):
        DepthBins(**kwargs)


@pytest.mark.parametrize('spacing', ['uniform', 'log'])
def test_position_is_linear_between_centres_and_clamped(spacing):
    bins = DepthBins(1.0, 41.0, num=20, spacing=spacing)
    centres = bins.centres
    torch.testing.assert_close(bins.position(centres), torch.arange(20.0), rtol=0, atol=1e-4)
    between = 0.25 * centres[4] + 0.75 * centres[5]
    torch.testing.assert_close(bins.position(between), torch.tensor(4.75), rtol=0, atol=1e-4)
    assert bins.position(torch.tensor([0.0, -5.0, 1e4])).tolist() == [0, 0, 19]
