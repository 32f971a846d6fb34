"""Depth in files warped to an augmented camera."""

import numpy as np
import pytest
from PIL import Image

from hybrid_depth.datasets.depth_map_files import write_depth_png
from hybrid_depth.errors import DepthDataError
from hybrid_depth.pseudo_depth.transform import LoadPhysicsDepth, LoadTrueDepth, resample


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


@pytest.fixture
def sample(tmp_path) -> dict:
    """Two cameras of 8x6 pixels, with maps of depth 1 to 48 m and twice that; the first image is
    cut to columns 2 to 5, the second one is flipped and cut to 4x6."""
    depth = np.arange(1, 49, dtype=np.float32).reshape(6, 8)
    paths = []
    for number, name in enumerate(('front', 'back')):
        path = tmp_path / 'data' / name / 'a.jpg'
        path.parent.mkdir(parents=True)
        Image.new('RGB', (8, 6)).save(path)
        write_depth_png(depth * (1 + number), tmp_path / 'depth' / name / 'a.png')
        paths.append(str(path))
    flip = np.array([[-1.0, 0, 7], [0, 1, 0], [0, 0, 1]])
    cut = np.array([[1.0, 0, -2], [0, 1, 0], [0, 0, 1]])
    return dict(img=[Image.new('RGB', (4, 6))] * 2, img_path=paths, img_aug=[cut, flip])


def physics(tmp_path, **changes) -> LoadPhysicsDepth:
    return LoadPhysicsDepth(
        **{**dict(folder=str(tmp_path / 'depth'), root=str(tmp_path / 'data')), **changes}
    )


def test_physics_depth_follows_the_augmentation(tmp_path, sample):
    found = physics(tmp_path)(sample)['physics_depth']
    depth = np.arange(1, 49, dtype=np.float32).reshape(6, 8)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [depth[:, 2:6], 2 * depth[:, :3:-1]])


def test_bad_files_of_physics_depth_are_named(tmp_path, sample):
    with pytest.raises(DepthDataError, match='images below root=.*other'):
        physics(tmp_path, root=str(tmp_path / 'other'))(sample)
    write_depth_png(np.ones((5, 8)), tmp_path / 'depth/back/a.png')
    with pytest.raises(DepthDataError, match=r'back/a.png: .*\(6, 8\), got \(5, 8\)'):
        physics(tmp_path)(sample)
    (tmp_path / 'depth/back/a.png').unlink()
    with pytest.raises(FileNotFoundError, match='back/a.png.*make-embodied-depth'):
        physics(tmp_path)(sample)


def test_true_depth_is_another_map_of_the_same_files(tmp_path, sample):
    folders = dict(folder=str(tmp_path / 'depth'), root=str(tmp_path / 'data'))
    found = LoadTrueDepth(**folders)(dict(sample))
    expected = physics(tmp_path)(dict(sample))
    assert 'physics_depth' not in found
    np.testing.assert_array_equal(found['true_depth'], expected['physics_depth'])
    (tmp_path / 'depth/back/a.png').unlink()
    with pytest.raises(FileNotFoundError, match='back/a.png.*make-toy-world'):
        LoadTrueDepth(**folders)(sample)
