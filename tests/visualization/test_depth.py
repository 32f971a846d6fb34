import numpy as np
import pytest

from hybrid_depth.visualization import colorize_depth, depth_color_bar
from hybrid_depth.visualization.colors import NO_DEPTH


def test_values_beyond_the_range_are_clamped():
    near, far, nearer, farther = colorize_depth(np.array([2.0, 50.0, 0.5, 900.0]), 2, 50)
    assert (near == nearer).all() and (far == farther).all()
    assert near[0] > 100 > near[2]  # red
    assert far[2] > far[1]  # dark blue


def test_no_depth_is_grey():
    colors = colorize_depth(np.array([[0.0, -1.0, np.nan, np.inf]]), 1, 10)
    assert colors.shape == (1, 4, 3) and colors.dtype == np.uint8
    assert (colors == NO_DEPTH).all()


def test_colours_are_even_in_inverse_depth():
    # 1 / 1.6 is half-way between 1 / 1 and 1 / 4, so it has the middle colour: green.
    middle = colorize_depth(np.array(1.6), 1, 4).astype(int)
    assert middle[1] > middle[0] and middle[1] > middle[2]


@pytest.mark.parametrize('bounds', [(0, 10), (10, 10), (-1, 3)])
def test_bad_range(bounds):
    with pytest.raises(ValueError, match='min_depth < max_depth'):
        colorize_depth(np.ones((2, 2)), *bounds)


def test_color_bar_goes_from_near_to_far():
    bar = depth_color_bar(700, 2, 50)
    assert bar.shape == (40, 700, 3)
    row = bar[10].astype(int)
    near, far = colorize_depth(np.array([2.0, 50.0]), 2, 50).astype(int)
    assert np.abs(row[-30] - far).max() < 12
    assert (np.abs(row - near).max(1) < 3).any()
