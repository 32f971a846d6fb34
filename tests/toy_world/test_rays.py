import numpy as np
import pytest

from hybrid_depth.toy_world.rays import rotate


@pytest.mark.parametrize('count', [(), (5,)])
def test_rotate_is_the_matrix_product(count):
    rng = np.random.default_rng(0)
    matrix, vectors = rng.normal(size=(3, 3, *count)), rng.normal(size=(3, 5))
    matrices = np.broadcast_to(matrix if count else matrix[..., None], (3, 3, 5))
    expected = [matrices[..., n] @ vectors[:, n] for n in range(5)]
    np.testing.assert_allclose(rotate(matrix, vectors), np.stack(expected, 1), rtol=1e-12)
