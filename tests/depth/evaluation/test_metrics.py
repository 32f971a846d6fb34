import numpy as np
import pytest

from hybrid_depth.depth.evaluation.metrics import (
    ALL_METRICS,
    binned_sums,
    binned_table,
    depth_errors,
    mean_errors,
    merge_flipped,
    rank_correlation,
)
from tests.golden import recipe
from tests.golden.monodepth2 import image
from tests.golden.reader import Golden

EVALUATION, LAYERS = Golden('monodepth2_eval'), Golden('monodepth2_layers')
MONO_VIFI = Golden('mono_vifi_eval')


def test_golden_metrics():
    """Equal to the official values bit for bit."""
    truth, prediction = (
        1 + 79 * image(f'metric.{name}', (3, 20, 60)).numpy().ravel() for name in ('gt', 'pred')
    )
    errors = depth_errors(truth, prediction)
    EVALUATION.check('errors.pair', errors[:7], 0)
    LAYERS.check_each('depth_errors', errors[:7], 1e-6)  # its float32 counterpart


def test_golden_metrics_of_make3d():
    """Mono-ViFI's RMSE of logarithms has base 10."""
    truth, prediction = (
        1 + 79 * recipe.image(f'mono_vifi.m.{name}', (3, 20, 60)).numpy().ravel()
        for name in ('gt', 'pred')
    )
    errors = depth_errors(truth, prediction)[:7]
    errors[3] /= np.log(10)
    MONO_VIFI.check_each('log10_errors', errors, 1e-5)


def test_metrics_by_hand():
    errors = dict(
        zip(ALL_METRICS, depth_errors(np.array([2.0, 10.0]), np.array([3.0, 10.0])), strict=True)
    )
    assert errors['abs_rel'] == pytest.approx(0.25)
    assert errors['sq_rel'] == pytest.approx(0.25)
    assert errors['rmse'] == pytest.approx(np.sqrt(0.5))
    assert errors['rmse_log'] == pytest.approx(np.log(1.5) / np.sqrt(2))
    assert (errors['a1'], errors['a2'], errors['a3']) == (0.5, 1.0, 1.0)
    assert errors['log10'] == pytest.approx(np.log10(1.5) / 2)


def test_mean_over_pixels_equals_one_large_image():
    rng = np.random.default_rng(0)
    truth, prediction = rng.uniform(1, 50, (2, 90))
    parts = [slice(0, 20), slice(20, 90)]
    errors = np.stack([depth_errors(truth[part], prediction[part]) for part in parts])
    np.testing.assert_allclose(
        mean_errors(errors, np.array([20, 70])), depth_errors(truth, prediction)
    )
    np.testing.assert_allclose(mean_errors(errors), errors.mean(0))


def test_pixel_means_of_images_of_one_size():
    """RMS errors are averaged as squares also for equal counts."""
    rng = np.random.default_rng(0)
    truth, prediction = rng.uniform(1, 50, (2, 80))
    errors = np.stack([depth_errors(truth[p], prediction[p]) for p in (slice(40), slice(40, 80))])
    whole = depth_errors(truth, prediction)
    np.testing.assert_allclose(mean_errors(errors, np.array([40, 40])), whole)


def test_distance_table():
    truth, prediction = np.array([1.0, 5, 12, 90]), np.array([2.0, 5, 15, 90])
    rows = binned_table(binned_sums(truth, prediction, (0, 10, 20, 80)), (0, 10, 20, 80))
    assert [row['pixels'] for row in rows] == [2, 1, 0]
    assert rows[0]['abs_rel'] == pytest.approx(0.5) and rows[0]['a1'] == 0.5
    assert rows[1]['rmse'] == pytest.approx(3)
    assert 'rmse' not in rows[2]


def test_edges_belong_to_the_bin_behind_them():
    truth = np.array([0.5, 10, 10, 20, 80])
    assert binned_sums(truth, truth, (0.5, 10, 20, 80))[0].tolist() == [1, 2, 1]


def test_rank_correlation_sees_swapped_depth():
    depth = np.random.default_rng(0).uniform(1, 80, 5000)
    assert rank_correlation(depth, depth * 3) == pytest.approx(1)
    assert rank_correlation(depth, 1 / depth) == pytest.approx(-1)
    assert rank_correlation(depth, np.ones(5000)) == 0


def test_golden_flip_post_processing():
    left, right = (image(name, (3, 24, 60))[:2].numpy() for name in ('left', 'right'))
    merged = merge_flipped(left, right)
    EVALUATION.check('post_process', merged, 0)
    np.testing.assert_array_equal(merged[..., -1], left[..., -1])
    np.testing.assert_array_equal(merged[..., 0], right[..., 0])
