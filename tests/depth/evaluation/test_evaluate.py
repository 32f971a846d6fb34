"""Maps in files against ground truth in files."""

import numpy as np
import pytest

from hybrid_depth.depth.evaluation.evaluate import evaluate_files
from hybrid_depth.depth.evaluation.protocols import DepthProtocol
from hybrid_depth.errors import DepthDataError

METRES = DepthProtocol('metres', scaling='none')


def street(images: int = 3, seed: int = 0) -> np.ndarray:
    """Asymmetric depth maps (N, 20, 80), metres."""
    return np.random.default_rng(seed).uniform(2, 60, (images, 20, 80)).astype(np.float32)


def saved(path, maps: np.ndarray):
    np.save(path, maps)
    return path


def test_mirrored_predictions_are_mirrored_back(tmp_path):
    """The mean of two correct predictions is correct only after mirroring back."""
    truth = street()
    predicted = saved(tmp_path / 'predicted.npy', 1 / truth)
    mirrored = saved(tmp_path / 'mirrored.npy', 1 / truth[..., ::-1])
    measured = saved(tmp_path / 'truth.npy', truth)
    result = evaluate_files(predicted, measured, METRES, 'disparity', mirrored)
    assert result['metrics']['abs_rel'] == pytest.approx(0, abs=1e-6)
    assert result['images'] == 3 and result['post_processing'] == f'flip, {mirrored}'
    assert (result['prediction'], result['truth']) == (str(predicted), str(measured))


def test_borders_are_of_one_prediction_and_the_middle_of_both(tmp_path):
    """A prediction of twice the disparity has weight 1 at the left border and 0 at the right."""
    truth = street(1)
    predicted = saved(tmp_path / 'predicted.npy', 1 / truth)
    mirrored = saved(tmp_path / 'mirrored.npy', 2 / truth[..., ::-1])
    measured = saved(tmp_path / 'truth.npy', truth)
    result = evaluate_files(predicted, measured, METRES, 'disparity', mirrored)
    place = np.arange(80) / 79
    weight = np.interp(place, [0, 0.05, 0.1, 0.9, 0.95, 1], [1, 1, 0.5, 0.5, 0, 0])
    errors = 1 - 1 / (1 + weight)  # |p - t| / t of 1 + weight times the disparity
    assert result['metrics']['abs_rel'] == pytest.approx(errors.mean(), rel=1e-5)
    assert evaluate_files(predicted, measured, METRES, 'disparity')['post_processing'] is None


def folder_of(path, names, maps):
    path.mkdir()
    for name, one in zip(names, maps, strict=True):
        np.savez_compressed(path / f'{name}.npz', depth=one)
    return path


def test_maps_are_matched_by_name(tmp_path):
    """Ground truth is in the order of its names, predictions in that of an archive."""
    truth = street()
    measured = folder_of(tmp_path / 'gt', ('a2', 'a10', 'b1'), truth)
    np.savez(tmp_path / 'predicted.npz', a10=truth[1], b1=truth[2], a2=truth[0])
    result = evaluate_files(tmp_path / 'predicted.npz', measured, METRES, 'metric')
    assert result['metrics']['abs_rel'] == pytest.approx(0, abs=1e-6)
    np.savez(tmp_path / 'others.npz', a10=truth[1], b1=truth[2], a3=truth[0])
    with pytest.raises(DepthDataError, match='first a2'):
        evaluate_files(tmp_path / 'others.npz', measured, METRES, 'metric')


def test_mismatched_files_are_rejected(tmp_path):
    truth = street()
    measured = saved(tmp_path / 'truth.npy', truth)
    disparity = saved(tmp_path / 'disparity.npy', 1 / truth)
    fewer = saved(tmp_path / 'fewer.npy', 1 / truth[:2])
    narrow = saved(tmp_path / 'narrow.npy', 1 / truth[..., :40])
    with pytest.raises(DepthDataError, match='averages disparity, got predictions of depth'):
        evaluate_files(measured, measured, METRES, 'depth', measured)
    with pytest.raises(DepthDataError, match='got 2 maps'):
        evaluate_files(disparity, measured, METRES, 'disparity', fewer)
    with pytest.raises(DepthDataError, match=r'image 0: .*\(20, 80\), got \(20, 40\)'):
        evaluate_files(disparity, measured, METRES, 'disparity', narrow)
    with pytest.raises(DepthDataError, match='got 2 in'):
        evaluate_files(fewer, measured, METRES, 'disparity')
    with pytest.raises(DepthDataError, match='look like disparity. Set --kind'):
        evaluate_files(disparity, measured, METRES, 'depth')
