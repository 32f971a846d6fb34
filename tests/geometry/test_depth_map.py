import pytest
import torch

from hybrid_depth.geometry import DepthMap

VALUES = torch.tensor([[[[2.0, 4.0]]], [[[1.0, 5.0]]]])
RECIPROCAL = 1 / VALUES


@pytest.mark.parametrize(
    ('kind', 'other', 'expected'),
    [
        ('disparity', 'disparity', VALUES),
        ('disparity', 'relative', RECIPROCAL),
        ('relative', 'disparity', RECIPROCAL),
        ('relative', 'relative', VALUES),
        ('metric', 'disparity', RECIPROCAL),
        ('metric', 'relative', VALUES),
        ('metric', 'metric', VALUES),
    ],
)
def test_conversions(kind, other, expected):
    converted = DepthMap(VALUES, kind).to(other)
    assert converted.kind == other and torch.equal(converted.values, expected)


@pytest.mark.parametrize('kind', ['disparity', 'relative'])
def test_metric_depth_needs_a_scale(kind):
    with pytest.raises(ValueError, match=f'expected metric depth, got {kind}'):
        DepthMap(VALUES, kind).to('metric')


def test_scaled_depth_is_metric_and_cannot_be_scaled_again():
    per_image = torch.tensor([10.0, 100.0]).view(2, 1, 1, 1)
    metric = DepthMap(VALUES, 'relative').scaled(per_image)
    assert metric.kind == 'metric' and torch.equal(metric.values, VALUES * per_image)
    assert torch.equal(DepthMap(VALUES, 'disparity').scaled(3.0).values, 3.0 * RECIPROCAL)
    with pytest.raises(ValueError, match='got metric depth and scale 2.0'):
        metric.scaled(2.0)


def test_maps_are_checked():
    with pytest.raises(ValueError, match=r'\(B, 1, H, W\), got \(1, 2\)'):
        DepthMap(VALUES[0, 0], 'metric')
    with pytest.raises(ValueError, match=r'got \(1, 2, 1, 2\)'):
        DepthMap(VALUES.transpose(0, 1), 'metric')
    for make in (lambda: DepthMap(VALUES, 'depth'), lambda: DepthMap(VALUES, 'metric').to('depth')):
        with pytest.raises(ValueError, match="'disparity', 'relative', 'metric'.*got 'depth'"):
            make()
