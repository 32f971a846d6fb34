"""LiDAR sweeps in several formats."""

import numpy as np
import pytest

from hybrid_depth.rigs.point_files import read_points, write_points
from tests.borders.refusal import refused

POINTS = np.array([[1, 2, 3, 0.5], [4, 5, 6, 0.25], [np.nan, 0, 0, 0]], np.float32)


@pytest.mark.parametrize('name', ['a.bin', 'a.npy', 'a.npz', 'xyz.npy', 'rings.bin'])
def test_formats(name, tmp_path):
    path, expected = tmp_path / name, POINTS[:2].copy()
    if name == 'a.bin':
        POINTS.tofile(path)
    elif name == 'rings.bin':
        np.concatenate([POINTS, np.full((3, 1), 7, np.float32)], 1).tofile(path)
    elif name == 'a.npz':
        np.savez(path, other=np.zeros(3), data=POINTS)
    else:
        np.save(path, POINTS[:, :3] if name == 'xyz.npy' else POINTS)
    if name == 'xyz.npy':
        expected[:, 3] = 0
    assert np.array_equal(read_points(path, 5 if name == 'rings.bin' else 4), expected)


def test_written_points_are_read_back(tmp_path):
    write_points(POINTS[:2], tmp_path / 'new/a.bin')
    assert np.array_equal(read_points(tmp_path / 'new/a.bin', 4), POINTS[:2])


@pytest.mark.parametrize('fault', ['columns', 'format', 'shape', 'unit'])
def test_other_files(fault, tmp_path):
    path, words = tmp_path / 'a.bin', ('columns:',)
    if fault == 'columns':
        np.zeros(10, np.float32).tofile(path)
    elif fault == 'format':
        path, words = tmp_path / 'a.las', ('.bin, .npy, .npz',)
    elif fault == 'shape':
        path, words = tmp_path / 'a.npy', ('(points, 3 or more)', '(5,)')
        np.save(path, np.zeros(5))
    else:
        words = ('millimetres',)
        (POINTS[:2] * 10000).tofile(path)
    with refused(str(path), *words):
        read_points(path, 4)
