import numpy as np
import pytest

from hybrid_depth.visualization import CLASS_COLORS, draw_camera_boxes
from hybrid_depth.visualization.colors import TRUE_BOX

from .scene import IMAGE_SIZE, make_boxes, make_rig

NAMES = list(CLASS_COLORS)


@pytest.fixture
def image() -> np.ndarray:
    return np.full((*IMAGE_SIZE, 3), 30, dtype=np.uint8)


@pytest.fixture
def ego2img() -> np.ndarray:
    return make_rig().ego2img()[0, 1].numpy()


def has_color(image: np.ndarray, color) -> np.ndarray:
    """(H, W): nearly that colour (lines are anti-aliased)."""
    return np.abs(image.astype(int) - color).max(-1) < 12


def test_predicted_boxes_have_the_colour_of_their_class(image, ego2img):
    boxes = make_boxes([(8.0, 1.5, 0), (9.0, -3.0, 0)], [0, 1], [0.9, 0.8])
    drawn = draw_camera_boxes(image, boxes, ego2img, NAMES)
    car, truck = (np.argwhere(has_color(drawn, CLASS_COLORS[name])) for name in ('car', 'truck'))
    assert len(car) > 20 and len(truck) > 20
    assert car[:, 1].mean() < 80 < truck[:, 1].mean()  # ego left is left in the image
    assert (image == 30).all()  # the input image is unchanged


def test_ground_truth_boxes_are_dashed_and_green(image, ego2img):
    boxes = make_boxes([(8.0, 0, 0)], [0])
    drawn = draw_camera_boxes(image, boxes, ego2img, NAMES, 'true')
    assert has_color(drawn, TRUE_BOX).any()
    assert not has_color(drawn, CLASS_COLORS['car']).any()
    solid = draw_camera_boxes(image, boxes, ego2img, NAMES, text_size=0)
    assert (drawn != image).any(-1).sum() < (solid != image).any(-1).sum()


def test_no_boxes_and_boxes_behind_change_nothing(image, ego2img):
    for boxes in (make_boxes([], [], []), make_boxes([(-8.0, 0, 0)], [0], [0.9])):
        for style in ('predicted', 'true'):
            assert (draw_camera_boxes(image, boxes, ego2img, NAMES, style) == image).all()


def test_a_box_partly_behind_the_camera_draws_no_line_across(image, ego2img):
    """A corner behind the camera would be projected to the opposite side."""
    drawn = draw_camera_boxes(image, make_boxes([(0.5, -2.5, 0)], [0], [0.9]), ego2img, NAMES)
    assert (drawn[:, :80] == image[:, :80]).all()
    assert (drawn[:, 80:] != image[:, 80:]).any()


def test_label_of_a_box_that_reaches_beyond_the_upper_border_is_inside(image, ego2img):
    boxes = make_boxes([(3.5, -0.5, 0)], [0], [0.9])
    labelled, plain = (
        draw_camera_boxes(image, boxes, ego2img, NAMES, text_size=n) for n in (11, 0)
    )
    changed = (labelled != plain).any(-1)
    assert changed[:16].sum() > 100 and not changed[20:].any()


def test_unknown_style(image, ego2img):
    with pytest.raises(ValueError, match="'predicted' or 'true', got 'gt'"):
        draw_camera_boxes(image, make_boxes([], []), ego2img, NAMES, 'gt')
