"""Scores against four official evaluators, and rejected inputs."""

from dataclasses import replace

import numpy as np
import pytest

from hybrid_depth.depth.evaluation.metrics import merge_flipped
from hybrid_depth.depth.evaluation.predicted_maps import resized_depth
from hybrid_depth.depth.evaluation.protocols import PROTOCOLS, DepthProtocol
from hybrid_depth.depth.evaluation.scoring import (
    compared_pixels,
    score_image,
    score_set,
    summarise,
    swapped_kind_warning,
)
from hybrid_depth.errors import DepthDataError
from tests.golden import recipe
from tests.golden.reader import Golden

MONODEPTH2, HYBRID = Golden('monodepth2_eval'), Golden('hybrid_depth_eval')
MONO_VIFI, MANYDEPTH = Golden('mono_vifi_eval'), Golden('manydepth_eval')
LIMIT = 1e-5  # relative, of the golden notes
PRINTED = 0.5e-3 + 1e-6  # rounded to three decimals
PICK = dict(middle=np.median, lower=lambda values: np.sort(values)[(len(values) - 1) // 2])

EIGEN = PROTOCOLS['kitti_eigen']
UNSCALED = replace(EIGEN, name='unscaled', scaling='none')


def sparse_truth(name: str, shape: tuple[int, int, int]) -> np.ndarray:
    """The recipe's ground truth: every twentieth pixel, 1 to 90 m."""
    depth = 1 + 89 * recipe.image(name, (3, *shape[1:])).numpy()[: shape[0]]
    image, row, column = np.mgrid[: shape[0], : shape[1], : shape[2]]
    measured = (13 * row + 7 * column + 3 * image) % 20 == 0
    return np.where(measured, depth, 0).astype(np.float32)


def allowed_errors(errors: np.ndarray, pixels) -> np.ndarray:
    """(7,) limits of the note, for accuracies plus pixels that may change by rounding."""
    ratios = np.maximum(pixels.truth / pixels.depths, pixels.depths / pixels.truth)
    near = [np.mean(np.abs(ratios / 1.25**power - 1) < 1e-6) for power in (1, 2, 3)]
    return LIMIT * errors + [0, 0, 0, 0, *near]


def compare(golden, case, predictions, truths, protocol, count='count', mean=None) -> dict:
    """Check the stored scores of each image and of `mean`; returns the summary."""
    pairs = list(zip(predictions, truths, strict=True))
    scores = [score_image(p, t, protocol, 'disparity') for p, t in pairs]
    golden.check(f'{case}.{count}', [score.pixels for score in scores], 0)
    pixels = [compared_pixels(p, t, protocol, 'disparity') for p, t in pairs]
    errors = np.stack([score.errors[:7] for score in scores])
    allowed = np.stack([allowed_errors(e, p) for e, p in zip(errors, pixels, strict=True)])
    golden.check(f'{case}.errors', errors, 1, allowed)
    truth = [PICK[protocol.median](one.truth) for one in pixels]
    golden.check_each(f'{case}.gt_median', truth, LIMIT)
    depths = [one.depths for one in pixels]
    if f'{case}.pred' in golden:
        found = [[f(d) for f in (np.mean, np.median, np.min, np.max)] for d in depths]
        golden.check_each(f'{case}.pred', found, LIMIT)
    else:
        golden.check_each(f'{case}.pred_mean', [np.mean(d, dtype=float) for d in depths], LIMIT)
        golden.check_each(f'{case}.pred_median', [PICK[protocol.median](d) for d in depths], LIMIT)
    result = summarise(scores, protocol, 'disparity')
    if mean is not None:
        golden.check(f'{case}.{mean}', list(result['metrics'].values()), 1, allowed.mean(0))
    return result


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
    truths = sparse_truth('monodepth2.gt', (3, 375, 1242))
    predictions = 0.01 + 0.6 * recipe.image('monodepth2.pred', (3, 192, 640)).numpy()
    result = compare(MONODEPTH2, case, predictions, truths, protocol, mean='mean')
    if f'{case}.printed_ratio' in MONODEPTH2:
        printed = [result['scale']['median'], result['scale']['spread']]
        MONODEPTH2.check(f'{case}.printed_ratio', printed, PRINTED, scale=1)


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
    straight, flipped = (
        0.01
        + 9.99 * (0.002 + 0.1 * recipe.image(f'hybrid_depth.eval.{name}', (2, 3, 224, 672)).numpy())
        for name in ('straight', 'flipped')
    )
    predictions, merged = straight[:, 0], merge_flipped(straight[:, 0], flipped[:, 0, :, ::-1])
    HYBRID.check('scaled_disp', predictions, LIMIT)
    HYBRID.check('post_processed', merged, LIMIT)
    if case == 'eigen_flip':
        predictions = merged
    truths = []
    for index, size in enumerate([(375, 1242), (370, 1226)]):
        drawn = recipe.image(f'hybrid_depth.eval.truth{index}', (3, *size)).numpy()
        truths.append(np.where(drawn[1] > 0.55, 100 * drawn[0], 0).astype(np.float32))
        depth = resized_depth(predictions[index], size, 'disparity', protocol)
        HYBRID.check(f'{case}.resized{index}', 1 / depth, LIMIT)
    result = compare(HYBRID, case, predictions, truths, protocol, 'n_pixels', 'mean_errors')
    assert list(result['metrics']) == HYBRID.array('metrics').tolist()


@pytest.mark.parametrize('flip', ['plain', 'post_process'])
@pytest.mark.parametrize('split', ['eigen', 'eigen_benchmark'])
def test_golden_mono_vifi(flip, split):
    truths = sparse_truth('mono_vifi.gt', (3, 375, 1242))
    output = 0.02 + 0.9 * recipe.image('mono_vifi.pred', (3, 192, 640)).numpy()
    predictions = np.float32(0.01) + np.float32(9.99) * output
    if flip == 'post_process':
        predictions = merge_flipped(predictions, predictions)
    name = 'kitti_monovifi' if split == 'eigen' else 'kitti_monovifi_benchmark'
    compare(MONO_VIFI, f'{flip}.{split}', predictions, truths, PROTOCOLS[name])


def test_golden_cityscapes():
    truths = sparse_truth('manydepth.gt', (2, 1024, 2048))
    predictions = 0.01 + 0.6 * recipe.image('manydepth.pred', (3, 192, 512)).numpy()[:2]
    compare(MANYDEPTH, 'cityscapes', predictions, truths, PROTOCOLS['cityscapes'])


def scene(scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """(prediction, truth): correct depth up to a scale."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(2, 60, (20, 40)).astype(np.float32)
    return truth / np.float32(scale), truth


WHOLE = DepthProtocol('whole', bins=(0.0, 20.0, 80.0))


def pairs(*scales: float):
    return lambda: ((f'image {i}', *scene(scale)) for i, scale in enumerate(scales))


def test_kinds_give_equal_scores():
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
    too_far = np.mean(np.minimum(2 * truth, 80) / truth - 1)  # predictions are clamped to 80 m
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
    prediction, truth = np.array([[1.0, 3.0]] * 2, np.float32), np.full((3, 3), 1.5, np.float32)
    disparity = score_image(prediction, truth, protocol, 'depth')
    depth = score_image(prediction, truth, replace(protocol, resized='depth'), 'depth')
    assert disparity.errors[0] == pytest.approx((1 / 3 + 0 + 1) / 3, rel=1e-5)
    assert depth.errors[0] == pytest.approx((1 / 3 + 1 / 3 + 1) / 3, rel=1e-5)


def test_swapped_kind_gives_a_warning():
    right = score_set(pairs(1.0), WHOLE, 'depth')
    wrong = score_set(pairs(1.0), WHOLE, 'disparity')
    assert swapped_kind_warning(right) is None
    assert 'they look like depth' in swapped_kind_warning(wrong)


@pytest.mark.parametrize(
    ('prediction', 'message'),
    [
        (np.ones((3, 4, 5), np.float32), r'shape \(3, 4, 5\)'),
        (np.ones((4, 5), np.uint8), 'floats.*uint8'),
        (np.full((4, 5), np.nan, np.float32), 'NaN'),
        (np.zeros((4, 5), np.float32), '20 that are zero or negative'),
    ],
)
def test_bad_maps_are_named(prediction, message):
    with pytest.raises(DepthDataError, match=f'image 7: .*{message}'):
        score_image(prediction, scene()[1], WHOLE, 'disparity', name='image 7')


def test_relative_depth_needs_a_scaling_protocol():
    with pytest.raises(DepthDataError, match='relative depth needs'):
        score_set(pairs(1.0), UNSCALED, 'relative')
    with pytest.raises(DepthDataError, match='expected a kind among'):
        score_set(pairs(1.0), UNSCALED, 'inverse')


@pytest.mark.parametrize(
    ('scaling', 'others'),
    [
        ('median', {'unscaled': 0.5}),
        ('none', {'median_scaled': 0.0}),
        ('set_median', {'unscaled': 0.5, 'median_scaled': 0.0}),
    ],
)
def test_errors_with_the_other_scaling_stand_beside(scaling, others):
    """Half of the true depth: an error of 0.5 in metres, none after scaling by the median."""
    truth = np.random.default_rng(0).uniform(2, 70, (20, 30)).astype(np.float32)
    protocol = DepthProtocol('whole', scaling=scaling)
    result = score_set(lambda: [('a', truth / 2, truth)], protocol, 'metric')
    assert {name: m['abs_rel'] for name, m in result['other_scaling'].items()} == pytest.approx(
        others, abs=1e-6
    )


def moving_pairs():
    """Two images whose moving pixels are at twice their depth; the second has none."""
    _, truth = scene()
    for name, columns in (('first', 10), ('second', 0)):
        moving = np.zeros(truth.shape, bool)
        moving[:, :columns] = True
        yield name, np.where(moving, 2 * truth, truth), truth, moving


@pytest.mark.parametrize('scaling', ['none', 'set_median'])
def test_moving_and_static_pixels(scaling):
    """Without moving pixels an image does not count among them; the scale is the whole image's."""
    protocol = replace(WHOLE, name=scaling, scaling=scaling, clamp=(0.001, 200))
    result = score_set(moving_pairs, protocol, 'depth' if scaling != 'none' else 'metric')
    whole, moving, static = result, result['motion']['moving'], result['motion']['static']
    assert (whole['images'], moving['images'], static['images']) == (2, 1, 2)
    assert (whole['pixels'], moving['pixels'], static['pixels']) == (1600, 200, 1400)
    scale = result['scale']['median'] if scaling == 'set_median' else 1
    assert moving['metrics']['abs_rel'] == pytest.approx(abs(2 * scale - 1), rel=1e-5)
    assert static['metrics']['abs_rel'] == pytest.approx(abs(scale - 1), abs=1e-6)
    assert moving['scale']['median'] == pytest.approx(0.5)
    assert sum(row['pixels'] for row in moving['distances']) == 200
    alone = score_set(lambda: (pair[:3] for pair in moving_pairs()), protocol, result['kind'])
    assert 'motion' not in alone
    assert alone == {key: value for key, value in result.items() if key != 'motion'}


def test_the_scale_of_the_image_is_that_of_the_parts():
    """Median scaling by the whole image, which is mostly static."""
    result = score_set(moving_pairs, replace(WHOLE, clamp=(0.001, 200)), 'depth')
    ratios = [np.median(t) / np.median(p) for _, p, t, _ in moving_pairs()]
    found = result['motion']['moving']['metrics']['abs_rel']
    assert found == pytest.approx(abs(2 * ratios[0] - 1), rel=1e-5)
    static = result['motion']['static']['metrics']['abs_rel']
    assert static == pytest.approx((1 - ratios[0]) / 2, rel=1e-5)


def test_no_image_has_moving_pixels():
    result = score_set(lambda: list(moving_pairs())[1:], WHOLE, 'depth')
    assert result['motion']['moving'] == dict(images=0)
    assert result['motion']['static']['pixels'] == result['pixels'] == 800


def test_motion_counts_only_in_compared_pixels():
    """In the crop, in the upper rows of the truth, where the truth is valid."""
    protocol = replace(WHOLE, crop=(0.5, 1, 0, 1), truth_rows=0.5)
    (_, prediction, truth, _), _ = moving_pairs()
    prediction, truth = prediction[:10], truth.copy()  # of the upper rows, as in Cityscapes
    truth[5, :7] = 0
    moving = np.zeros(truth.shape, bool)
    moving[4:6, :10] = True  # rows 5 to 10 are compared, of the upper 10
    score = score_image(prediction, truth, protocol, 'depth', moving=moving)
    assert (score.pixels, score.motion['moving'].pixels) == (5 * 40 - 7, 3)
    assert score.motion['static'].pixels == score.pixels - 3


def test_masks_have_the_size_of_the_truth():
    prediction, truth = scene()
    with pytest.raises(DepthDataError, match=r'image 7: .*\(20, 40\) of the ground.*\(40, 20\)'):
        moving = np.zeros((40, 20), bool)
        score_image(prediction, truth, WHOLE, 'depth', name='image 7', moving=moving)
