import pytest
import torch
from timm.models.vision_transformer import VisionTransformer

from hybrid_depth.foundation import DINOTower
from hybrid_depth.foundation.position_embedding import resize_position_embedding
from tests.depth.encoders.tiny import TINY_DINO


@pytest.fixture
def tower():
    torch.manual_seed(0)
    return DINOTower(**TINY_DINO).eval()


def test_maps_and_class_tokens(tower):
    maps, tokens = tower(torch.rand(2, 3, 56, 70))
    assert [tuple(m.shape) for m in maps] == [(2, 64, 4, 5)] * 4
    assert [tuple(t.shape) for t in tokens] == [(2, 64)] * 4
    assert tower.out_channels == [64] * 4 and tower.out_strides == [14] * 4


def test_every_tap_has_the_final_norm(tower):
    maps, tokens = tower(torch.rand(1, 3, 56, 56))
    for feature, token in zip(maps, tokens, strict=True):
        assert feature.mean(1).abs().max() < 1e-5 and token.mean(1).abs().max() < 1e-5


@pytest.mark.parametrize(
    ('stride', 'size', 'grid'),
    [(None, (64, 176), (5, 13)), (None, (3, 3), (1, 1)), (16, (64, 176), (4, 11))],
)
def test_any_size_is_resized_to_whole_patches(stride, size, grid):
    tower = DINOTower(stride=stride, **TINY_DINO)
    assert tower(torch.rand(1, 3, *size))[0][0].shape[-2:] == grid
    assert tower.out_strides == [stride or 14] * 4


def test_taps_by_index(tower):
    picked = DINOTower(taps=(0, 2), **TINY_DINO).eval()
    picked.load_state_dict(tower.state_dict())
    images = torch.rand(1, 3, 56, 70)
    for got, expected in zip(picked(images)[0], tower(images)[0][::2], strict=True):
        assert torch.equal(got, expected)
    with pytest.raises(ValueError, match='from 0 to 3'):
        DINOTower(taps=(0, 4), **TINY_DINO)


def test_native_grid_equals_timm(tower):
    images = torch.rand(1, 3, 56, 56)
    offset = tower(images)[0][-1]
    tower.vit.__class__ = VisionTransformer
    assert torch.equal(offset, tower(images)[0][-1])


def test_position_embedding_has_the_offset_of_dinov2():
    """Row r is sampled at (r + 0.5) * 64 / 32.1 - 0.5; a plain resize would divide by 32."""
    grid = torch.linspace(0, 1, 64).view(1, 64, 1, 1).expand(1, 64, 64, 1)
    resized = resize_position_embedding(grid, (32, 64))[0, :, 0, 0]
    rows = torch.arange(4, 28)
    expected, plain = (((rows + 0.5) * 64 / size - 0.5) / 63 for size in (32.1, 32))
    bicubic_is_not_linear = 7e-4
    assert torch.allclose(resized[rows], expected, atol=bicubic_is_not_linear, rtol=0)
    assert (resized[rows] - plain).abs().max() > 2 * bicubic_is_not_linear
    assert resize_position_embedding(grid, (64, 64)) is grid


def test_registers_and_rotary_models():
    images = torch.rand(1, 3, 32, 48)
    small = dict(embed_dim=64, depth=2, num_heads=4, taps=2)
    registers = DINOTower('vit_small_patch14_reg4_dinov2', img_size=56, stride=16, **small)
    rotary = DINOTower('vit_small_patch16_dinov3', **small)
    for tower in (registers, rotary):
        maps, tokens = tower(images)
        assert maps[-1].shape == (1, 64, 2, 3) and tokens[-1].shape == (1, 64)


def test_registers_at_the_native_grid_equal_timm():
    small = dict(embed_dim=64, depth=2, num_heads=4, taps=2)
    tower = DINOTower('vit_small_patch14_reg4_dinov2', img_size=28, **small).eval()
    images = torch.rand(1, 3, 28, 28)
    offset = tower(images)[0][-1]
    tower.vit.__class__ = VisionTransformer
    assert torch.equal(offset, tower(images)[0][-1])


def test_unknown_model():
    with pytest.raises(ValueError, match='vit_nowhere'):
        DINOTower('vit_nowhere')
