from dataclasses import replace

import numpy as np
import pytest

from hybrid_depth.visualization import CLASS_COLORS, colorize_depth
from hybrid_depth.visualization.colors import FALSE_POSITIVE
from hybrid_depth.visualization.sheet import BEVScene, camera_rows, make_sheet

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


def part_of(rig, cameras: list[int]):
    """Rig of some of the cameras, in this order."""
    names = ('cam2img', 'cam2ego', 'img_aug')
    return replace(rig, **{name: getattr(rig, name)[:, cameras] for name in names})


def panel(sheet: np.ndarray, row: int, column: int, width: int = 160) -> np.ndarray:
    top, left = 64 + GAP + row * (90 + GAP), column * (width + GAP)
    return sheet[top : top + 90, left : left + width]


def sheet_of(scene: BEVScene, **options) -> np.ndarray:
    return make_sheet(scene, NAMES, camera_width=160, **options)


def test_cameras_are_laid_out_as_on_the_vehicle_in_any_order():
    order = [3, 1, 5, 0, 4, 2]
    scene = make_scene()
    rig = part_of(make_rig(SCALE_CROP), order)
    shuffled = make_scene(
        images=[scene.images[i] for i in order], cam_names=[f'own name {i}' for i in order], rig=rig
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
    two = part_of(make_rig(), [0, 1])
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


def poses(*yaws: float) -> np.ndarray:
    """Cameras that look at these angles, degrees to the left of ahead."""
    cam2ego = np.tile(np.eye(4), (len(yaws), 1, 1))
    for pose, yaw in zip(cam2ego, np.radians(yaws), strict=True):
        pose[:3, 2] = np.cos(yaw), np.sin(yaw), 0
    return cam2ego


@pytest.mark.parametrize(
    ('yaws', 'rows'),
    [
        ((0,), [[0]]),
        ((180,), [[0]]),
        ((0, 180), [[0], [1]]),
        ((-20, 20), [[1, 0]]),
        ((0, 90, -90, 180), [[1, 0, 2], [3]]),
        ((45, -45, 135, -135), [[0, 1], [2, 3]]),
        ((0, 60, -60, 110, -110, 180), [[1, 0, 2], [3, 5, 4]]),
        ((0, 45, -45, 90, -90), [[3, 1, 0], [2, 4]]),
        ((-170, 170), [[1, 0]]),
        (tuple(range(0, 360, 30)), [[3, 2, 1, 0], [11, 10, 9], [4, 5, 6], [7, 8]]),
    ],
)
def test_rows_of_one_to_twelve_cameras(yaws, rows):
    assert camera_rows(poses(*yaws)) == rows


@pytest.mark.parametrize('count', range(1, 13))
def test_sheets_of_one_to_twelve_cameras(count):
    cameras = [i % 6 for i in range(count)]
    names = [f'camera {i}' for i in range(count)]
    images = [np.full((90, 160, 3), 100 + i, np.uint8) for i in range(count)]
    sheet = sheet_of(make_scene(images=images, cam_names=names, rig=part_of(make_rig(), cameras)))
    assert all((sheet == 100 + i).all(-1).sum() > 5000 for i in range(count))  # each is shown


def test_false_positives_are_told_apart_where_the_truth_is_known():
    predicted = make_boxes([(8.0, 0, 0), (12.0, 6, 0)], [0, 0], [0.9, 0.8])

    def red(**changes) -> int:
        sheet = sheet_of(make_scene(predicted=predicted, **changes))
        return (np.abs(sheet.astype(int) - FALSE_POSITIVE).max(-1) < 20).sum()

    both = make_boxes([(8.5, 0, 0), (12.0, 6, 0)], [0, 0])
    legend = red(true=both)
    assert red() == 0 and red(true=both) < 0.5 * red(true=make_boxes([(8.5, 0, 0)], [0]))
    assert red(true=make_boxes([(8.5, 0, 0), (12.0, 6, 0)], [1, 1])) > 1.5 * legend  # other class
