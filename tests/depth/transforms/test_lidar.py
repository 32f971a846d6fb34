"""Sweeps of DGP files: bad ones are named."""

import numpy as np
import pytest

from hybrid_depth.depth.transforms.lidar import LoadLidarDepthMap, read_points
from hybrid_depth.errors import DamagedFileError, DepthDataError


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (dict(other=np.zeros((3, 4))), 'as `data`, got'),
        (dict(data=np.zeros((3, 2))), r'points \(P, 3 or more\) of floats, got \(3, 2\)'),
        (dict(data=np.zeros((3, 4), int)), 'of floats'),
        (dict(data=np.full((3, 4), np.nan)), 'none that is finite'),
        (dict(data=np.zeros((0, 4))), 'none that is finite'),
        (dict(data=np.array([None, {}], dtype=object)), 'of floats, got'),
    ],
)
def test_bad_sweeps_are_named(tmp_path, content, message):
    path = tmp_path / 'sweep.npz'
    np.savez(path, **content)
    with pytest.raises(DepthDataError, match=f'sweep.npz: expected.*{message}'):
        read_points(path)


def test_damaged_and_missing_sweeps_are_named(tmp_path):
    path = tmp_path / 'sweep.npz'
    with pytest.raises(FileNotFoundError, match='sweep.npz'):
        read_points(path)
    path.write_bytes(b'PK\x03\x04 cut')
    with pytest.raises(DamagedFileError, match='unreadable'):
        read_points(path)
    with pytest.raises(DepthDataError, match='a LiDAR sweep of a.png, got none'):
        LoadLidarDepthMap()(dict(img_paths={0: 'a.png'}))
