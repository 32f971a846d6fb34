import pytest
import torch

from hybrid_depth.geometry.disparity import scale_disparity
from tests.golden.monodepth2 import image
from tests.golden.reader import Golden

LAYERS = Golden('monodepth2_layers')


@pytest.mark.parametrize('depths', [(0.1, 100.0), (0.001, 80.0)])
def test_golden(depths):
    name = f'disp_to_depth.{depths[0]}_{depths[1]}'
    disparity = scale_disparity(image('disp', (3, 12, 40)), *depths)
    LAYERS.check(f'{name}.disp', disparity, 1e-6)
    LAYERS.check(f'{name}.depth', 1 / disparity, 1e-6)


def test_ends():
    depth = 1 / scale_disparity(torch.tensor([0.0, 1.0]), 0.5, 80.0)
    assert depth.tolist() == [80.0, 0.5]
