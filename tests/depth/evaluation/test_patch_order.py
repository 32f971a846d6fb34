import pytest
import torch

from hybrid_depth.depth.evaluation.patch_order import PatchOrderMetric


def score(*logits):
    metric = PatchOrderMetric()
    metric.process({}, [dict(patch_logits=sample_logits) for sample_logits in logits])
    return metric.evaluate(len(logits))


def test_perfect_and_inverted_lines():
    place = torch.arange(7.0)
    right = -(place - place[:, None]).abs()[None]
    found = score(right, right.repeat(3, 1, 1))
    assert found == {
        'patches/order_accuracy': 1,
        'patches/hinge_accuracy': 1,
        'patches/lines': 4,
    }
    assert score(right.flip(1))['patches/order_accuracy'] == 0


def test_equal_patches_are_wrong():
    found = score(torch.zeros(1, 7, 7))
    assert found['patches/order_accuracy'] == found['patches/hinge_accuracy'] == 0


def test_every_pair_counts_once():
    """The last two of three patches are swapped: one pair of three is wrong in both metrics."""
    found = score(10 * torch.eye(3)[None][:, [0, 2, 1]] + torch.eye(3))
    assert found['patches/order_accuracy'] == pytest.approx(2 / 3)


def test_a_prompt_that_fits_everything_lowers_only_the_order_accuracy():
    """The ranking loss does not depend on the first prompt."""
    logits = torch.eye(3)[None].clone()
    logits[0, :, 0] = torch.tensor([0.0, 3, 3])
    found = score(logits)
    assert found['patches/hinge_accuracy'] == 1
    assert found['patches/order_accuracy'] == pytest.approx(1 / 3)


def test_images_without_lines():
    empty = torch.zeros(0, 7, 7)
    assert score(empty, 10 * torch.eye(7)[None])['patches/lines'] == 1
    with pytest.raises(ValueError, match='none in 1 images'):
        score(empty)
