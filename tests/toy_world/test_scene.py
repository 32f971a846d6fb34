"""Actors, their boxes and their parts."""

import numpy as np
import pytest

from hybrid_depth.toy_world.shapes import BOX_MARGIN
from hybrid_depth.toy_world.world import World


@pytest.fixture(scope='module')
def scene():
    return World(2, 1, (64, 36), seed=1).scene(0)


def test_boxes_are_turned_against_the_street(scene):
    yaw = scene.boxes(0.7).yaw
    assert sum(abs(np.sin(actor.turn)) > 0.2 for actor in scene.actors) > 5
    for actor, found in zip(scene.actors, yaw, strict=True):
        s = actor.s + 0.7 * actor.speed
        (x, y), (x2, y2) = (scene.street.pose(s + step, actor.d)[0] for step in (-1e-3, 1e-3))
        expected = np.arctan2(y2 - y, x2 - x) + actor.turn
        # the street is a polyline, with headings interpolated between its points
        assert abs(np.sin(found - expected)) < 0.01 and np.cos(found - expected) > 0


def test_boxes_hold_their_parts_with_the_margin_on_every_side(scene):
    boxes = scene.boxes(0.7)
    parts = scene.parts(0.7, np.zeros(2), np.inf)
    for k, (centre, size, yaw) in enumerate(zip(boxes.centre, boxes.size, boxes.yaw, strict=True)):
        away = parts.take(parts.actor == k).corners().reshape(-1, 3) - centre
        cos, sin = np.cos(yaw), np.sin(yaw)
        local = np.stack(
            [away[:, 0] * cos + away[:, 1] * sin, away[:, 1] * cos - away[:, 0] * sin, away[:, 2]]
        )
        half = size[[1, 0, 2]] / 2 - BOX_MARGIN
        np.testing.assert_allclose(local.max(1), half, atol=1e-9)
        np.testing.assert_allclose(local.min(1), -half, atol=1e-9)
    assert (boxes.centre[:, 2] - boxes.size[:, 2] / 2 > 0).all()  # no ground return is inside
