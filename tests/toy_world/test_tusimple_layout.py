import json

import numpy as np
import pytest

from hybrid_depth.datasets.image_files import open_image
from hybrid_depth.datasets.tusimple import TuSimpleLaneDataset
from hybrid_depth.toy_world import open_toy_world
from hybrid_depth.toy_world.camera import depth_map
from hybrid_depth.toy_world.lanes import lane_lines
from hybrid_depth.toy_world.tusimple_layout import label_rows

HEIGHT_ABOVE_GROUND = 1.5
FILES = ('train_label_data.json', 'test_label.json')


def items(root) -> list[dict]:
    datasets = [TuSimpleLaneDataset(data_root=str(root), ann_file=file) for file in FILES]
    assert [len(dataset) for dataset in datasets] == [1, 1]
    return [dataset[0] for dataset in datasets]


def test_rows_equal_tusimple():
    assert label_rows(720).tolist() == list(range(160, 720, 10))
    assert label_rows(90).tolist() == list(range(20, 90))


def test_labels(toy_lanes):
    for item, file in zip(items(toy_lanes), FILES, strict=True):
        label = json.loads((toy_lanes / file).read_text().splitlines()[0])
        assert sorted(label) == ['h_samples', 'lanes', 'raw_file']
        lanes, rows = item['lanes'], item['lane_rows']
        assert label['h_samples'] == rows.tolist() == label_rows(90).tolist()
        assert all(isinstance(x, int) for lane in label['lanes'] for x in lane)
        there = lanes >= 0
        assert ((lanes == -2) | there).all() and lanes.max() < 160
        # stage 1 needs seven points per lane: at least the two lines beside the vehicle have them
        assert (there.sum(1) >= 7).sum() >= 2
        at_bottom = lanes[:, rows == 80][lanes[:, rows == 80] >= 0]
        assert (np.diff(at_bottom) > 0).all(), 'left to right'


def camera(world) -> tuple[np.ndarray, np.ndarray]:
    """Pose (4, 4) in the ego frame and intrinsics (3, 3) of the layout."""
    width, height = world.size
    fx, fy, cx, cy = 0.87 * width, 1.547 * height, 0.5 * width - 0.5, 0.38 * height - 0.5
    cam2ego = np.array([[0, 0, 1, 1.6], [-1, 0, 0, 0], [0, -1, 0, HEIGHT_ABOVE_GROUND]])
    return np.vstack([cam2ego, [0, 0, 0, 1]]), np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])


def ground_points(item, world) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lane (N,), pixel (2, N) and camera point (3, N) on the ground of all labelled points."""
    lane, row = np.nonzero(item['lanes'] >= 0)
    pixels = np.stack([item['lanes'][lane, row], item['lane_rows'][row]])
    rays = np.linalg.solve(camera(world)[1], np.vstack([pixels, np.ones(len(lane))]))
    return lane, pixels.astype(int), rays * HEIGHT_ABOVE_GROUND / rays[1]


@pytest.mark.parametrize('index', [0, 1])
def test_labelled_points_are_on_the_lane_lines(toy_lanes, index):
    _, world = open_toy_world(toy_lanes)
    scene, item = world.scene(index), items(toy_lanes)[index]
    lane, _, points = ground_points(item, world)
    cam2ego, cam2img = camera(world)
    cam2world = scene.ego2world(0) @ cam2ego
    x, y, z = cam2world[:3, :3] @ points + cam2world[:3, 3:]
    np.testing.assert_allclose(z, 0, atol=1e-9)
    _, d = scene.street.locate(x, y)
    lines = lane_lines()
    assert lines.tolist() == pytest.approx([7, 3.5, 0, -3.5, -7])
    nearest = np.abs(d[:, None] - lines).argmin(1)
    away = np.abs(d - lines[nearest])
    # columns are whole pixels, which cover more of the ground the farther away it is
    assert (away < 0.55 * points[2] / cam2img[0, 0] + 0.02).mean() > 0.95
    for k in range(len(item['lanes'])):
        assert len(set(nearest[lane == k])) == 1, 'one lane follows one line'


def test_labels_end_at_the_last_visible_point(toy_lanes):
    _, world = open_toy_world(toy_lanes)
    behind = 0
    for index, item in enumerate(items(toy_lanes)):
        cam2ego, cam2img = camera(world)
        scene = world.scene(index)
        depth = depth_map(scene, scene.ego2world(0) @ cam2ego, cam2img, world.size, 0)
        lane, (u, v), points = ground_points(item, world)
        seen = depth[v, u] > 0.95 * points[2]
        for k in range(len(item['lanes'])):
            first, last = np.flatnonzero(lane == k)[[0, -1]]
            assert seen[first] and seen[last]
            behind += (~seen[lane == k]).sum()
    assert behind > 0, 'points between that are hidden are labelled too'


def test_the_double_line_is_labelled_at_its_centre(toy_lanes):
    """The street is yellow there, not grey."""
    _, world = open_toy_world(toy_lanes)
    item = items(toy_lanes)[0]
    image = np.array(open_image(item['img_paths'][0]), float)
    yellow = image[..., 0] - image[..., 2] > 60
    _, (u, v), points = ground_points(item, world)
    offset = 0.14 / points[2] * camera(world)[1][0, 0]
    at = (v == 80) & (u > 2 * offset) & (u < 159 - 2 * offset)
    sides = [np.round(u[at] + side * offset[at]).astype(int) for side in (-1, 1)]
    both = yellow[80, sides[0]] & yellow[80, sides[1]]
    assert both.sum() == 1
