"""The toy world as an own vehicle: images of the cameras that its description states."""

import csv

import numpy as np
import pytest
from PIL import Image

from hybrid_depth.toy_world import open_toy_world
from hybrid_depth.toy_world.camera import render_view
from hybrid_depth.toy_world.rig_layout import CLASSES, SENSORS, drive


@pytest.fixture
def root(toy_vehicle):
    return toy_vehicle


def test_files(root):
    names = [path.name for path in sorted((root / drive(1)).iterdir())]
    assert names == sorted(['boxes.csv', 'poses.txt', *SENSORS])
    assert (root / 'rig.yaml').is_file()
    assert [path.stem for path in sorted((root / drive(1) / 'left').iterdir())] == [
        '1600001000011000', '1600001000511000', '1600001001011000',
    ]  # fmt: skip


@pytest.mark.parametrize('name', SENSORS)
def test_images_are_of_their_time_and_camera(root, name):
    _, world = open_toy_world(root)
    sensor, scene = SENSORS[name], world.scene(0)
    time = 0.5 + sensor.delay
    view = scene.ego2world(time) @ sensor.cam2ego()
    expected = render_view(scene, view, sensor.cam2img(world), sensor.size(world), time).image
    image = np.array(Image.open(sorted((root / drive(0) / name).iterdir())[1]))
    assert image.shape == expected.shape
    assert np.abs(image.astype(float) - expected).mean() < 6  # JPEG


def test_cameras_look_where_their_names_say():
    for name, heading in dict(nose=0, left=80, right=-80, tail=180).items():
        ahead = SENSORS[name].cam2ego()[:3, 2]
        angle = np.degrees(np.arctan2(ahead[1], ahead[0]))
        assert abs((angle - heading + 180) % 360 - 180) < 1e-6
        assert ahead[2] <= 1e-9  # level, or down


def test_boxes_are_seen_objects_of_own_classes(root):
    with open(root / drive(0) / 'boxes.csv') as file:
        rows = list(csv.DictReader(file))
    assert {row['class'] for row in rows} == set(CLASSES.values()) and len(rows) > 10
    _, world = open_toy_world(root)
    scene = world.scene(0)
    for row in rows:
        actor = scene.actors[int(row['track'])]
        assert CLASSES[actor.name] == row['class']
