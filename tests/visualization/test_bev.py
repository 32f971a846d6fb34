import numpy as np

from hybrid_depth.visualization import CLASS_COLORS, draw_bev
from hybrid_depth.visualization.bev import Trail, bev_pixels

from .scene import make_boxes

NAMES = list(CLASS_COLORS)
SIZE = 300


def where(image: np.ndarray, color) -> np.ndarray:
    """(K, 2) rows and columns of the map's pixels of a colour."""
    return np.argwhere(np.abs(image[:SIZE].astype(int) - color).max(-1) < 12)


def test_forward_is_up_and_left_is_left():
    pixels = bev_pixels(np.array([[0.0, 0.0], [20.0, 0.0], [0.0, 20.0]]), 30.0, SIZE)
    np.testing.assert_allclose(pixels, [[149.5, 149.5], [149.5, 49.5], [49.5, 149.5]])


def test_positions_of_boxes():
    predicted = make_boxes([(20.0, 10.0, 0)], [0], [0.9])
    true = make_boxes([(-15.0, -12.0, 0)], [0])
    drawn = draw_bev(None, predicted, true, NAMES, reach=30, size=SIZE)
    assert drawn.shape[0] > SIZE == drawn.shape[1] and drawn.dtype == np.uint8
    np.testing.assert_allclose(where(drawn, CLASS_COLORS['car']).mean(0), [45, 100], atol=6)
    red, green, blue = drawn[:SIZE].astype(int).transpose(2, 0, 1)
    greenish = np.argwhere(green - np.maximum(red, blue) > 30)  # thin lines fade into the ground
    np.testing.assert_allclose(greenish.mean(0), [225, 210], atol=6)


def test_heading_of_a_box_is_marked():
    drawn = draw_bev(None, make_boxes([(20.0, 10.0, 0)], [0], [0.9]), None, NAMES, 30, SIZE)
    empty = draw_bev(None, make_boxes([], [], []), None, NAMES, 30, SIZE)
    changed = (drawn != empty).any(-1)
    assert changed[42:48, 99].all() and not changed[53:58, 99].any()


def test_boxes_and_points_beyond_the_map_are_omitted():
    far = make_boxes([(500.0, 0, 0)], [0], [0.9])
    nothing = make_boxes([], [], [])
    points = np.array([[100.0, 0.0, 0.0], [0.0, -80.0, 0.0]])
    drawn, empty = (draw_bev(p, b, None, NAMES, 30, SIZE)[:SIZE] for p, b in
                    ((points, far), (None, nothing)))  # fmt: skip
    assert (drawn == empty).all()


def test_points_are_drawn():
    points = np.array([[10.3, 10.2, 0.0]] * 3)
    nothing = make_boxes([], [], [])
    drawn = draw_bev(points, nothing, None, NAMES, 30, SIZE).astype(int)
    empty = draw_bev(None, nothing, None, NAMES, 30, SIZE).astype(int)
    changed = np.argwhere((drawn != empty).any(-1))
    np.testing.assert_allclose(changed, [[98, 98]], atol=1)


def test_trails_are_lines_with_numbers():
    nothing = make_boxes([], [], [])
    trail = Trail(7, 0, np.array([[0.0, 20, 0], [20.0, 20, 0]]))
    drawn = draw_bev(None, nothing, None, NAMES, 30, SIZE, [trail])
    empty = draw_bev(None, nothing, None, NAMES, 30, SIZE)
    changed = (drawn != empty).any(-1)
    assert changed[55:145, 48:51].any(1).all()  # 20 m to the left, from abreast to 20 m ahead
    assert changed[30:48, 52:70].any() and not changed[60:, 60:].any()
