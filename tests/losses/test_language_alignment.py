"""Losses of stage 1; entries `alone.*` (docs/reference/golden.md, "Hybrid-depth")."""

import pytest
import torch

from hybrid_depth.losses import language_ranking_loss, patch_contrast_loss
from tests.golden import recipe
from tests.golden.reader import Golden

STAGE1 = Golden('hybrid_depth_stage1')
LIMIT = 1e-5


def drawn(name, shape):
    return recipe.tensor(f'hybrid_depth.stage1.{name}', shape)[None]


@pytest.mark.parametrize('direction', ['released', 'natural'])
def test_golden(direction):
    logits, features = drawn('logits', (7, 7)), drawn('features', (7, 1024))
    if direction == 'natural':
        logits, features = logits.flip(1), features.flip(1)
    for name, value in (
        ('rank', language_ranking_loss(logits)),
        ('rank_both', language_ranking_loss(logits, both_ways=True)),
        ('contrastive', patch_contrast_loss(features)),
    ):
        key = f'alone.{direction}.{name}'
        STAGE1.check(key, value.reshape(STAGE1[key].shape), LIMIT)


def test_ranking_is_a_sum_of_hinges():
    logits = torch.randn(2, 5, 5)
    expected = torch.zeros(2)
    for j in range(5):
        for i in range(j):
            expected += (logits[:, i, j] - logits[:, j, j]).clamp(min=0)
    assert torch.allclose(language_ranking_loss(logits), expected)


def test_no_loss_if_every_prompt_fits_its_patch_best():
    logits = torch.rand(1, 7, 7) + 2 * torch.eye(7)
    assert language_ranking_loss(logits, both_ways=True) == 0
    wrong = logits.flip(1)
    assert language_ranking_loss(wrong) > 0


def test_equal_patches():
    features = torch.ones(3, 7, 16)
    assert torch.allclose(patch_contrast_loss(features), torch.full((3,), 112 / 6 / 49))


def test_contrast_pushes_distant_patches_apart_more():
    features = torch.eye(7)[None].repeat(2, 1, 1)
    features[0, 1], features[1, 6] = features[0, 0], features[1, 0]
    near, far = patch_contrast_loss(features)
    assert far == pytest.approx(6 * near.item())


def test_no_lines():
    logits = torch.zeros(0, 7, 7, requires_grad=True)
    language_ranking_loss(logits).sum().backward()
    assert logits.grad.shape == (0, 7, 7)
    assert patch_contrast_loss(torch.zeros(0, 7, 8)).shape == (0,)


def test_numbers_of_patches_and_prompts_must_be_equal():
    with pytest.raises(ValueError, match=r'as many patches.*\(2, 7, 8\)'):
        language_ranking_loss(torch.zeros(2, 7, 8))
