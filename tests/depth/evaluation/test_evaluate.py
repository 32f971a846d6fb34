"""Maps in files against ground truth in files."""

import numpy as np
import pytest

from hybrid_depth.datasets.kitti.export import export_ground_truth, improved_truth
from hybrid_depth.datasets.kitti.splits import read_split
from hybrid_depth.datasets.label_images import read_moving_mask, write_label_image
from hybrid_depth.depth.evaluation.evaluate import evaluate_files
from hybrid_depth.depth.evaluation.protocols import DepthProtocol
from hybrid_depth.errors import DepthDataError

METRES = DepthProtocol('metres', scaling='none')
FAR = DepthProtocol('far', scaling='none', clamp=(0.001, 300), truth_range=(0.001, 300))


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


def test_moving_pixels_by_a_folder_of_masks(tmp_path):
    """The left half at twice the depth; masks have the names of the ground truth."""
    truth, names = street(2), ('a', 'b')
    measured = folder_of(tmp_path / 'gt', names, truth)
    predicted = folder_of(tmp_path / 'predicted', names, truth * np.where(np.arange(80) < 40, 2, 1))
    moving = np.zeros((20, 80), np.uint8)
    write_label_image(moving, tmp_path / 'masks/a.png')
    with pytest.raises(FileNotFoundError, match='label image .*masks/b.png'):
        evaluate_files(predicted, measured, FAR, 'metric', moving=tmp_path / 'masks')
    moving[:, :40] = 255
    write_label_image(moving, tmp_path / 'masks/b.png')
    result = evaluate_files(predicted, measured, FAR, 'metric', moving=tmp_path / 'masks')
    parts = result['motion']
    assert (parts['moving']['images'], parts['static']['images']) == (1, 2)
    assert parts['moving']['metrics']['abs_rel'] == pytest.approx(1, abs=1e-6)
    assert parts['static']['metrics']['abs_rel'] == pytest.approx(0.25, abs=1e-6)
    assert result['moving'] == str(tmp_path / 'masks')
    write_label_image(moving[:, :40], tmp_path / 'masks/b.png')
    with pytest.raises(DepthDataError, match=r'b: .*\(20, 80\) of the ground truth, got'):
        evaluate_files(predicted, measured, FAR, 'metric', moving=tmp_path / 'masks')
    array = saved(tmp_path / 'truth.npy', truth)
    with pytest.raises(DepthDataError, match='expected ground truth with names'):
        evaluate_files(array, array, FAR, 'metric', moving=tmp_path / 'masks')


def test_masks_of_an_export_mirror_the_images(toy_kitti, tmp_path):
    """Those of the toy world, against a count of their pixels with a depth."""
    frames, truth = read_split('splits/toy/val_files.txt', toy_kitti), improved_truth(toy_kitti)
    export_ground_truth(frames, truth, tmp_path / 'gt', 'improved', 'toy')
    read = truth.read
    maps = [np.where(read(frame) > 0, read(frame), 1) for frame in frames]
    predicted = folder_of(tmp_path / 'predicted', [frame.name for frame in frames], maps)
    moving = toy_kitti / 'moving'
    result = evaluate_files(predicted, tmp_path / 'gt', FAR, 'metric', moving=moving)
    masks = [read_moving_mask(moving / frame.image) for frame in frames]
    count = sum((mask & (read(f) > 0)).sum() for mask, f in zip(masks, frames, strict=True))
    assert result['motion']['moving']['pixels'] == count > 0
    assert result['motion']['static']['pixels'] == result['pixels'] - count
