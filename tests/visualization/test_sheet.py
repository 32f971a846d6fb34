import numpy as np
import pytest

from hybrid_depth.visualization import CLASS_COLORS, colorize_depth
from hybrid_depth.visualization.sheet import BEVScene, make_sheet

from .scene import CAMERAS, IMAGE_SIZE, make_boxes, make_rig

NAMES = list(CLASS_COLORS)
SCALE_CROP = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, -13.0], [0.0, 0.0, 1.0]])  # to 32 x 80
NETWORK_SIZE = (32, 80)
GAP = 6


def make_scene(**changes) -> BEVScene:
    greys = [np.full((*IMAGE_SIZE, 3), 20 + 30 * i, np.uint8) for i in range(6)]
    settings = dict(
        images=greys,
        cam_names=list(CAMERAS),
        rig=make_rig(SCALE_CROP),
        predicted=make_boxes([(8.0, 0, 0), (-8.0, 0, 0)], [0, 1], [0.9, 0.2]),
        network_size=NETWORK_SIZE,
        title='sample 0   scene 0',
    )
    return BEVScene(**settings | changes)


def panel(sheet: np.ndarray, row: int, column: int, width: int = 160) -> np.ndarray:
    top, left = 64 + GAP + row * (90 + GAP), column * (width + GAP)
    return sheet[top : top + 90, left : left + width]


def sheet_of(scene: BEVScene, **options) -> np.ndarray:
    return make_sheet(scene, NAMES, camera_width=160, **options)


def test_cameras_are_laid_out_as_on_the_vehicle_in_any_order():
    order = [3, 1, 5, 0, 4, 2]
    scene = make_scene()
    shuffled = make_scene(
        images=[scene.images[i] for i in order], cam_names=[list(CAMERAS)[i] for i in order]
    )
    sheet = sheet_of(shuffled)
    greys = [[panel(sheet, row, column)[85, 3, 0] for column in range(3)] for row in range(2)]
    assert greys == [[20, 50, 80], [110, 140, 170]]


def test_boxes_below_the_score_are_omitted():
    back = panel(sheet_of(make_scene()), 1, 1)
    assert (back[30:60, 40:120] == 140).all()
    back = panel(sheet_of(make_scene(), score_thr=0.1), 1, 1)
    assert (back[30:60, 40:120] != 140).any()


def test_depth_covers_the_network_image():
    depth = np.full((6, 4, 10), 9.0)
    depth[1, :, 5:] = 30.0
    front = panel(sheet_of(make_scene(depth=depth), depth_range=(4, 60)), 2, 1)
    near, far = colorize_depth(np.array([9.0, 30.0]), 4, 60)
    # Network row 0 is row 26 of the full image; above it the image is darkened.
    assert (front[20, 100:] == int(50 * 0.3)).all()
    assert (front[30:86, 10:60] == near).all()
    assert (front[30:86, 100:] == far).all()


def test_lidar_points_are_drawn_into_the_depth():
    depth = np.full((6, 4, 10), 9.0)
    sheet = sheet_of(
        make_scene(depth=depth, points=np.array([[30.0, 2.0, -2.0]])), depth_range=(4, 60)
    )
    front = panel(sheet, 2, 1)
    assert (front[53, 72] == colorize_depth(np.array(30.0), 4, 60)).all()


def test_any_number_of_cameras():
    rig = make_rig()
    two = type(rig)(
        **{name: getattr(rig, name)[:, :2] for name in ('cam2img', 'cam2ego', 'img_aug')},
        bda=rig.bda,
        ego2global=rig.ego2global,
    )
    scene = make_scene(images=make_scene().images[:2], cam_names=['left', 'right'], rig=two)
    sheet = sheet_of(scene)
    assert panel(sheet, 0, 1)[85, 3, 0] == 50


def test_camera_counts_must_be_equal():
    with pytest.raises(ValueError, match="'cam_names': 5"):
        make_scene(cam_names=list(CAMERAS)[:5])
    with pytest.raises(ValueError, match='expected network_size'):
        make_scene(depth=np.ones((6, 2, 3)), network_size=None)


def test_points_in_enlarged_images_lie_where_their_pixel_centre_does():
    """Three times as wide: the centre of pixel (80, 45) comes to (241, 136), not to (240, 135)."""
    scene = make_scene(depth=np.full((6, 4, 10), 9.0), points=np.array([[30.0, 0, 0]]))
    sheet = make_sheet(scene, NAMES, camera_width=480, depth_range=(4, 60))
    top, left = 64 + GAP + 2 * (270 + GAP), 480 + GAP
    front = sheet[top : top + 270, left : left + 480]
    dot = (front == colorize_depth(np.array(30.0), 4, 60)).all(-1)
    assert np.argwhere(dot).tolist() == [[136, 241], [136, 242]]


@pytest.mark.parametrize('order', [[0, 1], [1, 0]])
def test_near_points_lie_on_top(order):
    points = np.array([[10.0, 0, 0], [30.0, 0, 0]])[order]
    sheet = sheet_of(
        make_scene(depth=np.full((6, 4, 10), 50.0), points=points), depth_range=(4, 60)
    )
    assert (panel(sheet, 2, 1)[45, 80] == colorize_depth(np.array(10.0), 4, 60)).all()
