"""Other textures: the same scene, another look."""

import numpy as np
import pytest

from hybrid_depth.toy_world import kitti_rig
from hybrid_depth.toy_world.camera import labelled_depth, render_view
from hybrid_depth.toy_world.world import World

SIZE = (96, 32)


def view(textures):
    world = World(3, 1, SIZE, seed=1, textures=textures)
    scene = world.scene(0)
    camera = scene.ego2world(0) @ kitti_rig.cam2ego(2), kitti_rig.cam2img(SIZE)
    depth, labels = labelled_depth(scene, *camera, SIZE, 0.0)
    return render_view(scene, *camera, SIZE, 0.0).image, depth, labels


def test_shapes_and_labels_stay_and_the_look_changes():
    standard, depth, labels = view(0)
    for seed in (1, 2):
        image, same_depth, same_labels = view(seed)
        assert np.array_equal(depth, same_depth)
        assert np.array_equal(labels.instance, same_labels.instance)
        assert np.array_equal(labels.semantic, same_labels.semantic)
        ground = np.isin(labels.semantic, (0, 1))  # road and sidewalk
        for part in (ground, ~ground & np.isfinite(depth)):
            difference = np.abs(image[part].astype(int) - standard[part])
            assert (difference.max(-1) > 4).mean() > 0.5


def test_equal_seeds_have_equal_looks():
    assert np.array_equal(view(1)[0], view(1)[0])
    assert not np.array_equal(view(1)[0], view(2)[0])


def test_seeds_are_checked():
    with pytest.raises(ValueError, match='textures -1'):
        World(3, 1, SIZE, seed=1, textures=-1)
