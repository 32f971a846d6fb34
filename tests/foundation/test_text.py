import copy
import math

import pytest
import torch

from hybrid_depth.foundation import DepthPrompts, LanguageHead, TextTower, build_clip
from tests.depth.encoders.tiny import TINY_CLIP


def build_head(**text) -> LanguageHead:
    torch.manual_seed(0)
    tower = TextTower(build_clip('', None, TINY_CLIP['model_cfg']))
    return LanguageHead(tower, DepthPrompts(width=tower.width, **(text or dict(num_tokens=8))))


@pytest.fixture
def head():
    return build_head()


@pytest.fixture
def tower_runs(monkeypatch):
    """Counts the forward passes of every text tower."""
    runs = []
    forward = TextTower.forward

    def counted(self, prompts):
        runs.append(1)
        return forward(self, prompts)

    monkeypatch.setattr(TextTower, 'forward', counted)
    return runs


def maps(channels=64):
    return [torch.randn(2, channels, 3, 5)]


def test_logits_are_scaled_cosines(head):
    (feature,) = maps()
    (logits,) = head([feature])
    rows = head.text_matrix()
    assert torch.allclose(rows.norm(dim=1), torch.ones(8))
    cosine = torch.cosine_similarity(feature[1, :, 2, 4], rows[3], dim=0)
    assert logits[1, 3, 2, 4].item() == pytest.approx(100 / math.sqrt(8) * cosine.item(), rel=1e-4)


def test_a_black_pixel_gives_zero_not_nan(head):
    assert head([torch.zeros(1, 64, 1, 1)])[0].abs().max() == 0


@pytest.mark.parametrize('channels', [16, 96, 256])
def test_channels_are_resampled_by_nearest_neighbour(head, channels):
    (feature,) = maps(channels)
    picked = torch.nn.functional.interpolate(
        feature.permute(0, 2, 3, 1).flatten(1, 2), size=64, mode='nearest'
    )
    picked = picked.unflatten(1, (3, 5)).permute(0, 3, 1, 2)
    assert torch.allclose(head([feature])[0], head([picked])[0], atol=1e-5)


def test_short_context_equals_the_full_one():
    head = build_head()
    tower, prompts = head.tower.double(), head.prompts.double()
    short = tower(prompts)
    prompts.ids = torch.nn.functional.pad(prompts.ids, (0, 16 - prompts.ids.shape[1]))
    assert torch.allclose(tower(prompts), short, atol=1e-12, rtol=0)


def test_features_equal_open_clip():
    clip = build_clip('', None, TINY_CLIP['model_cfg'])
    prompts = DepthPrompts(width=32, words=('near', 'far away'))
    ids = torch.nn.functional.pad(prompts.ids, (0, 16 - prompts.ids.shape[1]))
    expected = clip.encode_text(ids, normalize=True)
    assert torch.allclose(TextTower(clip)(prompts), expected, atol=1e-6)


def test_tower_runs_once_per_optimiser_step(head, tower_runs):
    optimiser = torch.optim.AdamW(head.parameters(), lr=0.1)
    feature = maps()
    first = head(feature)[0]
    (first.sum() + head(feature)[0].sum()).backward()
    assert len(tower_runs) == 1
    optimiser.step()
    second = head(feature)[0]
    assert len(tower_runs) == 2
    assert not torch.allclose(first, second)


def test_weights_changed_in_place_give_another_matrix(head):
    """Without a backward pass, after which the matrix is forgotten anyway."""
    before = head.text_matrix()
    with torch.no_grad():
        head.prompts.tokens.add_(torch.randn_like(head.prompts.tokens))
    assert not torch.allclose(head.text_matrix(), before)


def test_gradient_accumulation_does_not_reuse_a_freed_graph(head):
    feature = maps()
    head(feature)[0].sum().backward()
    once = head.prompts.tokens.grad.clone()
    head(feature)[0].sum().backward()
    assert torch.allclose(head.prompts.tokens.grad, 2 * once, rtol=1e-4)


def test_a_matrix_without_graph_is_not_used_in_training(head):
    with torch.no_grad():
        head(maps())
    head(maps())[0].sum().backward()
    assert head.prompts.tokens.grad is not None


def test_tower_does_not_run_in_inference(head, tower_runs):
    trained = head(feature := maps())[0]
    head.eval()
    tower_runs.clear()
    assert torch.allclose(head(feature)[0], trained, atol=1e-6)
    assert not head(feature)[0].requires_grad
    assert tower_runs == []


def test_eval_uses_weights_swapped_through_data(head):
    """mmengine's EMA hook swaps parameters through `.data`, which changes no version counter."""
    head.eval()
    before = head.matrix.clone()
    head.train()
    head.prompts.tokens.data.mul_(50)
    head.eval()
    assert not torch.allclose(head.matrix, before)


def test_loading_in_eval_mode_updates_the_matrix(head):
    head.eval()
    torch.manual_seed(1)
    other = LanguageHead(build_head().tower, DepthPrompts(width=32, num_tokens=8)).eval()
    assert not torch.allclose(head.matrix, other.matrix)
    head.load_state_dict(other.state_dict())
    assert torch.allclose(head.matrix, other.matrix)


def test_dropping_the_tower_keeps_the_logits(head, tower_runs):
    expected = head(feature := maps())[0]
    head.drop_text_tower()
    tower_runs.clear()
    assert list(head.state_dict()) == ['matrix'] and not list(head.parameters())
    assert torch.allclose(head.train()(feature)[0], expected, atol=1e-6)
    assert torch.allclose(head.eval()(feature)[0], expected, atol=1e-6)
    assert tower_runs == []


def test_a_checkpoint_without_text_tower_loads_into_a_head_with_one(head):
    head.drop_text_tower()
    other = build_head(num_tokens=8)
    other.prompts.tokens.data.zero_()
    other.load_state_dict(head.state_dict())
    assert other.tower is None
    assert torch.equal(other.eval().text_matrix(), head.matrix)


def test_copying_in_the_middle_of_a_step(head):
    head(maps())
    copied = copy.deepcopy(head)
    assert torch.allclose(copied.eval().matrix, head.eval().matrix)


def test_bidirectional_text_is_rejected():
    cfg = copy.deepcopy(TINY_CLIP['model_cfg'])
    cfg['text_cfg']['no_causal_mask'] = True
    with pytest.raises(ValueError, match='causal'):
        TextTower(build_clip('', None, cfg))
