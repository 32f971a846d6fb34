"""Depth maps of folders and files."""

import numpy as np

from hybrid_depth.depth.evaluation.files import DepthMaps, match_predictions


def test_frames_are_in_the_order_of_their_numbers(tmp_path):
    """Frame 9 comes before frame 10, in a folder and in an archive."""
    frames = {f'frame_{number}': np.full((2, 3), number) for number in (10, 9, 100)}
    (tmp_path / 'maps').mkdir()
    for name, depth in frames.items():
        np.save(tmp_path / 'maps' / f'{name}.npy', depth)
    np.savez(tmp_path / 'maps.npz', **frames)
    for maps in (DepthMaps(tmp_path / 'maps'), DepthMaps(tmp_path / 'maps.npz')):
        assert maps.names == ['frame_9', 'frame_10', 'frame_100']
        assert [maps[i][0, 0] for i in range(len(maps))] == [9, 10, 100]


def test_maps_without_names_are_paired_in_order(tmp_path):
    np.save(tmp_path / 'predicted.npy', np.ones((2, 2, 3)))
    (tmp_path / 'truth').mkdir()
    for number in (10, 9):
        np.save(tmp_path / 'truth' / f'{number}.npy', np.ones((2, 3)))
    pairs = match_predictions(DepthMaps(tmp_path / 'predicted.npy'), DepthMaps(tmp_path / 'truth'))
    assert pairs == [('9', 0), ('10', 1)]
