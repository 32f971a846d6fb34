"""Labels against depth and annotated boxes, which do not know them."""

import numpy as np
import pytest

from hybrid_depth.datasets.label_images import label_path, read_label_image
from hybrid_depth.toy_world import kitti_rig, open_toy_world, rig
from hybrid_depth.toy_world.camera import labelled_depth
from hybrid_depth.toy_world.kitti_layout import drive
from hybrid_depth.toy_world.street import KERB, SIDEWALK_EDGE
from hybrid_depth.toy_world.surfaces import SEMANTIC_IDS
from hybrid_depth.toy_world.world import World

SIZE = (320, 180)
TIME = 0.4
CAMERA = rig.CAMERAS[1]


@pytest.fixture(scope='module')
def scene():
    return World(2, 2, SIZE, seed=1).scene(0)


@pytest.fixture(scope='module')
def view(scene):
    """Labels and the world points (H, W, 3) of all pixels, infinite in the sky."""
    cam2world, cam2img = scene.ego2world(TIME) @ CAMERA.sensor2ego(), CAMERA.cam2img(SIZE)
    depth, labels = labelled_depth(scene, cam2world, cam2img, SIZE, TIME)
    pixels = np.stack([*np.meshgrid(*map(np.arange, SIZE)), np.ones(SIZE[::-1])], -1)
    rays = pixels @ np.linalg.inv(cam2img).T @ cam2world[:3, :3].T
    with np.errstate(invalid='ignore'):
        return labels, rays * depth[..., None] + cam2world[:3, 3]


def inside(boxes, k, points) -> np.ndarray:
    away = points - boxes.centre[k]
    cos, sin = np.cos(boxes.yaw[k]), np.sin(boxes.yaw[k])
    x, y = away[..., 0] * cos + away[..., 1] * sin, away[..., 1] * cos - away[..., 0] * sin
    local = np.abs(np.stack([x, y, away[..., 2]], -1))
    return (local <= boxes.size[k][[1, 0, 2]] / 2).all(-1)


def test_an_instance_is_what_is_inside_the_box_of_its_actor(scene, view):
    labels, points = view
    points = np.where(np.isfinite(points), points, 1e9)
    boxes, seen = scene.boxes(TIME), set(np.unique(labels.instance)) - {0}
    assert len(seen) > 20
    overlaps = 0
    for k in range(len(scene.actors)):
        there, labelled = inside(boxes, k, points), labels.instance == k + 1
        assert not (labelled & ~there).any()
        overlaps += (there & ~labelled).sum()
    assert overlaps < 0.01 * (labels.instance > 0).sum()  # boxes of a convoy may overlap


def test_actors_have_their_class_and_motion(scene, view):
    labels, _ = view
    before, after = scene.boxes(TIME).centre, scene.boxes(TIME + 1).centre
    travelled = np.hypot(*(after - before)[:, :2].T)
    riders = kinds = 0
    for k, actor in enumerate(scene.actors):
        mine = labels.instance == k + 1
        classes, expected = set(np.unique(labels.semantic[mine])), {SEMANTIC_IDS[actor.name]}
        if actor.attribute == 'cycle.with_rider':
            expected.add(SEMANTIC_IDS['rider'])
            riders += classes == expected
        assert classes <= expected, actor.name
        assert (labels.moving[mine] == (255 if travelled[k] > 0.5 else 0)).all()
        kinds += bool(mine.any())
    assert riders and kinds > 20
    assert set(np.unique(labels.moving)) == {0, 255}
    assert (labels.moving[labels.instance == 0] == 0).all()


def test_ground_and_sky_by_their_position(scene, view):
    labels, points = view
    np.testing.assert_array_equal(
        labels.semantic == SEMANTIC_IDS['sky'], ~np.isfinite(points).all(-1)
    )
    street = scene.street.pose(np.arange(0, scene.street.s[-1], 0.05), 0)[0]
    low = np.isfinite(points).all(-1) & (np.abs(points[..., 2]) < 1e-6)
    flat = np.isin(labels.semantic, [SEMANTIC_IDS[k] for k in ('road', 'sidewalk', 'grass')])
    np.testing.assert_array_equal(flat, low)
    for row, column in np.argwhere(low)[::37]:
        away = np.hypot(*(street - points[row, column, :2]).T).min()
        if min(abs(away - KERB), abs(away - SIDEWALK_EDGE)) < 0.05:
            continue
        kind = 'road' if away < KERB else 'sidewalk' if away < SIDEWALK_EDGE else 'grass'
        assert labels.semantic[row, column] == SEMANTIC_IDS[kind]


def test_scenery_has_its_class_and_no_instance(scene, view):
    labels, points = view
    scenery = (labels.instance == 0) & (points[..., 2] > 0.01) & np.isfinite(points).all(-1)
    classes = set(np.unique(labels.semantic[scenery]))
    assert classes == {SEMANTIC_IDS[k] for k in ('building', 'pole', 'tree')}
    high = scenery & (points[..., 2] > 8)  # above lamp posts and trees
    assert high.any() and (labels.semantic[high] == SEMANTIC_IDS['building']).all()


@pytest.mark.parametrize('layout', ['toy_nuscenes', 'toy_kitti'])
def test_every_image_has_its_labels(layout, request):
    root = request.getfixturevalue(layout)
    tree = 'samples/**/*.jpg' if layout == 'toy_nuscenes' else '2018*/**/*.png'
    images = sorted(root.glob(tree))
    assert len(images) == (4 * 6 if layout == 'toy_nuscenes' else 2 * 5 * 2)
    size = open_toy_world(root)[1].size
    for kind, dtype in dict(semantic=np.uint8, instance=np.uint16, moving=np.uint8).items():
        labels = [read_label_image(label_path(root / kind, path, root), size) for path in images]
        assert {label.dtype for label in labels} == {np.dtype(dtype)}
        assert len(list((root / kind).rglob('*.png'))) == len(images)


def test_files_hold_the_labels_of_their_frame_and_camera(toy_kitti):
    world = open_toy_world(toy_kitti)[1]
    for camera in (2, 3):
        scene = world.scene(1)
        cam2world = scene.ego2world(0.3) @ kitti_rig.cam2ego(camera)
        view = (cam2world, kitti_rig.cam2img(world.size), world.size, 0.3)
        labels = labelled_depth(scene, *view)[1]
        image = toy_kitti / drive(1) / f'image_{camera:02d}' / 'data' / '0000000003.png'
        for kind in ('semantic', 'instance', 'moving'):
            values = read_label_image(label_path(toy_kitti / kind, image, toy_kitti))
            np.testing.assert_array_equal(values, getattr(labels, kind))
