import numpy as np
import pytest

from hybrid_depth.geometry.inverse_depth_fill import fill_inverse_depth


def test_inverse_depth_is_continued_and_stays_in_its_range():
    """OpenCV's inpainting of 1 / metres in float32 oscillated between -1.3 and 1.6."""
    inverse = np.full((240, 400), 0.04, np.float32)
    inverse[120:, 150:250] = 1 / 6
    known = np.ones_like(inverse, bool)
    known[:120, 150:250] = False
    filled = fill_inverse_depth(inverse, known)
    hole = filled[:120, 150:250]
    assert hole.min() > 0.039 and hole.max() < 1 / 6 + 0.001
    # the closest known side decides, far from the edges of the front
    assert np.abs(hole[:20, 5:95] - 0.04).max() < 0.001
    assert np.abs(hole[110:, 40:60] - 1 / 6).max() < 0.001


@pytest.mark.parametrize('size', [(37, 50), (3, 3), (375, 1242)])
def test_sizes_that_the_stride_does_not_divide(size):
    known = np.zeros(size, bool)
    known[:, : size[1] // 2] = True
    filled = fill_inverse_depth(np.where(known, np.float32(0.1), np.float32(np.nan)), known)
    np.testing.assert_allclose(filled, 0.1, rtol=1e-3)


def test_nothing_known():
    assert np.isnan(fill_inverse_depth(np.ones((8, 8), np.float32), np.zeros((8, 8), bool))).all()
