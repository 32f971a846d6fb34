"""Damages of labels of the benchmark embodied-labels, and its tables on a small toy world."""

import numpy as np
import pytest

from benchmarks.embodied_labels import (
    LOST,
    PIXELS,
    dilated,
    eroded,
    shifted,
    tables,
    with_losses,
)
from hybrid_depth.errors import DepthDataError
from hybrid_depth.geometry import Provenance
from hybrid_depth.geometry.scene_classes import CLASSES, ROAD, SKY, UNLABELLED

CAR = CLASSES.index('car')


@pytest.fixture
def scene():
    """Labels and instances: sky, road, and a car of 10 x 12 pixels on it."""
    labels = np.full((40, 60), SKY, np.uint8)
    labels[15:] = ROAD
    labels[20:30, 24:36] = CAR
    return labels, (labels == CAR) * np.uint16(7)


def test_erosion_leaves_the_inside_of_each_class(scene):
    labels, _ = eroded(*scene)
    rows, columns = np.nonzero(labels == CAR)
    assert (rows.min(), rows.max()) == (20 + PIXELS, 29 - PIXELS)
    assert (columns.min(), columns.max()) == (24 + PIXELS, 35 - PIXELS)
    assert set(np.unique(labels)) == {ROAD, SKY, CAR, UNLABELLED}


def test_dilation_grows_things_with_their_instance(scene):
    labels, instances = dilated(*scene)
    rows, columns = np.nonzero(labels == CAR)
    assert (rows.min(), rows.max()) == (20 - PIXELS, 29 + PIXELS)
    assert (columns.min(), columns.max()) == (24 - PIXELS, 35 + PIXELS)
    np.testing.assert_array_equal(instances, (labels == CAR) * 7)


def test_shift_moves_both_images_by_the_same(scene):
    for moved, image in zip(shifted(*scene), scene, strict=True):
        np.testing.assert_array_equal(moved[PIXELS:, PIXELS:], image[:-PIXELS, :-PIXELS])
        assert moved.shape == image.shape and moved.dtype == image.dtype


def test_losses_take_the_share_of_the_instances_and_nothing_else():
    instances = np.arange(2000, dtype=np.uint16).reshape(40, 50)
    labels, left = with_losses(np.full((40, 50), CAR, np.uint8), instances)
    gone = labels == UNLABELLED
    np.testing.assert_array_equal(left, np.where(gone, 0, instances))
    assert abs(gone.mean() - LOST) < 0.02 and not gone[0, 0]


def test_tables_of_a_toy_world(toy_kitti):
    found = tables(toy_kitti, 2)
    exact = found['exact']
    assert exact.share(Provenance.ROAD, Provenance.GROUND) == (1.0, 1.0)
    for name in ('eroded', 'dilated', 'shifted'):
        (table,) = (table for variant, table in found.items() if variant.startswith(name))
        assert table.pixels.sum() == exact.pixels.sum()
        assert (table.pixels != exact.pixels).any()
    moved = found[f'shifted by {PIXELS} pixels']
    assert moved.share(Provenance.VERTICAL)[0] < exact.share(Provenance.VERTICAL)[0]


def test_a_tree_without_truth_is_an_error(toy_kitti, tmp_path):
    (tmp_path / '2018_07_24').symlink_to(toy_kitti / '2018_07_24')
    with pytest.raises(DepthDataError, match='--layout kitti'):
        tables(tmp_path, 1)
