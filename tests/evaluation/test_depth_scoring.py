"""Scores against those of four official evaluators, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from hybrid_depth.datasets import DepthDataError
from hybrid_depth.evaluation import PROTOCOLS, DepthProtocol
from hybrid_depth.evaluation.depth_metrics import merge_flipped
from hybrid_depth.evaluation.depth_scoring import (
    score_image,
    score_set,
    summarise,
    swapped_kind,
)
from tests.golden import weights
from tests.golden.monodepth2 import DATA

EIGEN = PROTOCOLS['kitti_eigen']
UNSCALED = replace(EIGEN, name='unscaled', scaling='none')


def sparse_truth(name: str, shape: tuple[int, int, int]) -> np.ndarray:
    """The recipe's ground truth: every twentieth pixel, 1 to 90 m."""
    depth = 1 + 89 * weights.image(name, (3, *shape[1:]))[: shape[0]]
    image, row, column = np.mgrid[: shape[0], : shape[1], : shape[2]]
    measured = (13 * row + 7 * column + 3 * image) % 20 == 0
    return np.where(measured, depth, 0).astype(np.float32)


def compare(predictions, truths, protocol, counts, errors, limit: float) -> list:
    """Assert the stored counts and errors; the largest relative difference may be `limit`."""
    scores = [
        score_image(p, t, protocol, 'disparity') for p, t in zip(predictions, truths, strict=True)
    ]
    assert [score.pixels for score in scores] == counts.tolist()
    np.testing.assert_allclose(
        np.stack([score.errors[:7] for score in scores]), errors, rtol=limit, atol=0
    )
    return scores


@pytest.mark.parametrize(
    ('case', 'protocol'),
    [
        ('mono.eigen', EIGEN),
        ('mono.eigen_benchmark', PROTOCOLS['kitti_eigen_benchmark']),
        ('stereo.eigen', PROTOCOLS['kitti_eigen_stereo']),
        ('raw.eigen', UNSCALED),
        ('scaled.eigen', replace(UNSCALED, factor=2.5)),
    ],
)
def test_golden_monodepth2(case, protocol):
    golden = np.load(DATA / 'monodepth2_eval.npz')
    truths = sparse_truth('monodepth2.gt', (3, 375, 1242))
    predictions = 0.01 + 0.6 * weights.image('monodepth2.pred', (3, 192, 640))
    stored = golden[f'{case}.count'], golden[f'{case}.errors']
    scores = compare(predictions, truths, protocol, *stored, limit=1e-6)
    result = summarise(scores, protocol, 'disparity')
    np.testing.assert_allclose(list(result['metrics'].values()), golden[f'{case}.mean'], rtol=1e-6)
    if f'{case}.printed_ratio' in golden:
        median, spread = golden[f'{case}.printed_ratio']
        assert round(result['scale']['median'], 3) == median
        assert round(result['scale']['spread'], 3) == spread


@pytest.mark.parametrize(
    ('case', 'protocol'),
    [
        ('eigen', EIGEN),
        ('eigen_flip', EIGEN),
        ('eigen_unscaled', UNSCALED),
        ('eigen_improved', PROTOCOLS['kitti_eigen_improved']),
        ('eigen_benchmark', PROTOCOLS['kitti_eigen_benchmark']),
    ],
)
def test_golden_hybrid_depth(case, protocol):
    golden = np.load(DATA / 'hybrid_depth_eval.npz')
    straight, flipped = (
        0.01 + 9.99 * (0.002 + 0.1 * weights.image(f'hybrid_depth.eval.{name}', (2, 3, 224, 672)))
        for name in ('straight', 'flipped')
    )
    predictions = straight[:, 0]
    if case == 'eigen_flip':
        predictions = merge_flipped(predictions, flipped[:, 0, :, ::-1])
    truths = []
    for index, size in enumerate([(375, 1242), (370, 1226)]):
        drawn = weights.image(f'hybrid_depth.eval.truth{index}', (3, *size))
        truths.append(np.where(drawn[1] > 0.55, 100 * drawn[0], 0).astype(np.float32))
    stored = golden[f'{case}.n_pixels'], golden[f'{case}.errors']
    compare(predictions, truths, protocol, *stored, limit=1e-5)


@pytest.mark.parametrize('flip', ['plain', 'post_process'])
@pytest.mark.parametrize('split', ['eigen', 'eigen_benchmark'])
def test_golden_mono_vifi(flip, split):
    golden = np.load(DATA / 'mono_vifi_eval.npz')
    truths = sparse_truth('mono_vifi.gt', (3, 375, 1242))
    output = 0.02 + 0.9 * weights.image('mono_vifi.pred', (3, 192, 640))
    predictions = np.float32(0.01) + np.float32(9.99) * output
    if flip == 'post_process':
        predictions = merge_flipped(predictions, predictions)
    name = 'kitti_monovifi' if split == 'eigen' else 'kitti_monovifi_benchmark'
    stored = (golden[f'{flip}.{split}.{part}'] for part in ('count', 'errors'))
    compare(predictions, truths, PROTOCOLS[name], *stored, limit=1e-5)


def test_golden_cityscapes():
    golden = np.load(DATA / 'manydepth_eval.npz')
    truths = sparse_truth('manydepth.gt', (2, 1024, 2048))
    predictions = 0.01 + 0.6 * weights.image('manydepth.pred', (3, 192, 512))[:2]
    stored = golden['cityscapes.count'], golden['cityscapes.errors']
    compare(predictions, truths, PROTOCOLS['cityscapes'], *stored, limit=1e-5)


def scene(scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """(prediction, truth): depth that is right but for a scale."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(2, 60, (20, 40)).astype(np.float32)
    return truth / np.float32(scale), truth


WHOLE = DepthProtocol('whole', bins=(0.0, 20.0, 80.0))


def pairs(*scales: float):
    return lambda: ((f'image {i}', *scene(scale)) for i, scale in enumerate(scales))


def test_kinds_agree():
    depth, truth = scene(2.0)
    by_depth = score_image(depth, truth, WHOLE, 'depth')
    by_disparity = score_image(1 / depth, truth, WHOLE, 'disparity')
    np.testing.assert_allclose(by_disparity.errors, by_depth.errors, atol=1e-6)
    assert by_depth.errors[0] == pytest.approx(0, abs=1e-6)
    assert by_depth.ratio == pytest.approx(2)


def test_one_scale_for_the_set_shows_drift():
    per_image = score_set(pairs(1.0, 2.0, 4.0), WHOLE, 'depth')
    one = score_set(pairs(1.0, 2.0, 4.0), replace(WHOLE, name='a', scaling='set_median'), 'depth')
    none = score_set(pairs(1.0, 2.0, 4.0), replace(WHOLE, name='b', scaling='none'), 'metric')
    assert per_image['metrics']['abs_rel'] == pytest.approx(0, abs=1e-6)
    truth = scene()[1]
    too_far = np.mean(np.minimum(2 * truth, 80) / truth - 1)  # predictions are limited to 80 m
    assert one['metrics']['abs_rel'] == pytest.approx((too_far + 0 + 0.5) / 3, rel=1e-5)
    assert none['metrics']['abs_rel'] == pytest.approx((0 + 0.5 + 0.75) / 3)
    assert per_image['scale'] == one['scale']
    assert one['scale']['median'] == pytest.approx(2)
    assert one['scale']['spread'] == pytest.approx(np.std([0.5, 1, 2]))
    assert one['protocol']['name'] == 'a' and one['protocol']['scaling'] == 'set_median'


def test_images_without_truth_are_counted():
    def with_empty():
        yield from pairs(1.0)()
        yield 'empty', np.ones((4, 4), np.float32), np.zeros((20, 40), np.float32)

    result = score_set(with_empty, WHOLE, 'depth')
    assert (result['images'], result['images_without_truth']) == (1, 1)
    with pytest.raises(DepthDataError, match='no such pixel in 1 images'):
        score_set(lambda: list(with_empty())[1:], WHOLE, 'depth')


def test_resized_quantity_matters():
    """Half-way between 1 m and 3 m is 1.5 m in disparity, 2 m in depth."""
    protocol = replace(UNSCALED, crop=(0, 1, 0, 1), resize='align_corners')
    prediction, truth = np.array([[1.0, 3.0]] * 2, np.float32), np.full((2, 3), 1.5, np.float32)
    disparity = score_image(prediction, truth, protocol, 'depth')
    depth = score_image(prediction, truth, replace(protocol, resized='depth'), 'depth')
    assert disparity.errors[0] == pytest.approx((1 / 3 + 0 + 1) / 3, rel=1e-5)
    assert depth.errors[0] == pytest.approx((1 / 3 + 1 / 3 + 1) / 3, rel=1e-5)


def test_swapped_kind_is_said():
    right = score_set(pairs(1.0), WHOLE, 'depth')
    wrong = score_set(pairs(1.0), WHOLE, 'disparity')
    assert swapped_kind(right) is None
    assert 'they look like depth' in swapped_kind(wrong)


@pytest.mark.parametrize(
    ('prediction', 'said'),
    [
        (np.ones((3, 4, 5), np.float32), r'shape \(3, 4, 5\)'),
        (np.ones((4, 5), np.uint8), 'floats.*uint8'),
        (np.full((4, 5), np.nan, np.float32), 'NaN'),
        (np.zeros((4, 5), np.float32), '20 that are zero or negative'),
    ],
)
def test_bad_maps_are_named(prediction, said):
    with pytest.raises(DepthDataError, match=f'image 7: .*{said}'):
        score_image(prediction, scene()[1], WHOLE, 'disparity', name='image 7')


def test_relative_depth_is_not_compared_with_metres():
    with pytest.raises(DepthDataError, match='relative depth needs'):
        score_set(pairs(1.0), UNSCALED, 'relative')
    with pytest.raises(DepthDataError, match='expected a kind among'):
        score_set(pairs(1.0), UNSCALED, 'inverse')
