"""Cached depth warped to an augmented camera."""

import numpy as np

from hybrid_depth.pseudo_depth.transform import resample


def test_resampling_inverts_an_augmentation():
    depth = np.arange(12.0).reshape(3, 4)
    flip = np.array([[-1.0, 0, 3], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(resample(depth, flip, (4, 3)), depth[:, ::-1])
    moved = resample(depth, np.array([[1.0, 0, 1], [0, 1, -1], [0, 0, 1]]), (4, 3))
    np.testing.assert_array_equal(moved[1:, :3], depth[:2, 1:])
    assert (moved[0] == 0).all() and (moved[:, 3] == 0).all()


def test_the_nearest_pixel_is_taken():
    """Mapped 0.7 pixels to the right and 0.6 down: that is the next one, in both directions."""
    depth = np.arange(12.0).reshape(3, 4)
    moved = resample(depth, np.array([[1.0, 0, 0.7], [0, 1, 0.6], [0, 0, 1]]), (3, 2))
    np.testing.assert_array_equal(moved, depth[1:, 1:])
    moved = resample(depth, np.array([[1.0, 0, 0.3], [0, 1, 0.4], [0, 0, 1]]), (4, 3))
    np.testing.assert_array_equal(moved, depth)
