import numpy as np
import pytest

from hybrid_depth.visualization import CLASS_COLORS
from hybrid_depth.visualization.calibration import HORIZON, draw_calibration, horizon

from .scene import IMAGE_SIZE, make_boxes, make_rig


@pytest.fixture
def ego2img() -> np.ndarray:
    """Front camera 1.5 m above the ground."""
    projection = make_rig().ego2img()[0, 1].numpy()
    projection[:, 3] = -1.5 * projection[:, 2]
    return projection


def test_horizon_of_a_level_and_of_a_pitched_camera(ego2img):
    (line,) = horizon(ego2img, IMAGE_SIZE)
    np.testing.assert_allclose(line[:, 1], 45)  # the row of the principal point
    pitch = np.radians(5)
    turn = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    cam2img = np.array([[120.0, 0, 80], [0, 120, 45], [0, 0, 1]])
    pitched = cam2img @ turn @ np.linalg.inv(cam2img) @ ego2img
    (line,) = horizon(pitched, IMAGE_SIZE)
    np.testing.assert_allclose(line[:, 1], 45 - 120 * np.tan(pitch), rtol=1e-6)


def test_no_horizon_for_a_camera_that_looks_down(ego2img):
    down = ego2img.copy()
    down[2], down[1] = -ego2img[1] / 120, ego2img[2] * 120
    assert horizon(down, (20, 160)).shape == (0, 2, 2)


def test_points_boxes_and_ground_are_drawn(ego2img):
    image = np.full((*IMAGE_SIZE, 3), 30, dtype=np.uint8)
    boxes = make_boxes([(12.0, 2.0, 0.75)], [0])
    points = np.array([[10.0, -3.0, 0.0], [-10.0, 0, 0]])
    drawn = draw_calibration(image, boxes, points, ego2img, list(CLASS_COLORS), 'front')
    assert (image == 30).all()
    u, v = 80 + 120 * 0.3, 45 + 120 * 0.15
    assert drawn[round(v), round(u)].tolist() not in ([30] * 3, list(HORIZON))
    assert (np.abs(drawn[45].astype(int) - HORIZON).max(-1) < 30).mean() > 0.9  # anti-aliased
    plain = draw_calibration(image, make_boxes([], []), None, ego2img, list(CLASS_COLORS), 'front')
    assert (plain != drawn).any(-1).sum() > 20
