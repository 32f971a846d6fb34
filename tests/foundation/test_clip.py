import copy

import pytest
import torch

from hybrid_depth.checkpoints.weights import CheckpointMismatchError
from hybrid_depth.foundation import CLIPTower, build_clip
from tests.depth.encoders.tiny import TINY_CLIP


def test_resnet_maps_at_any_size():
    tower = CLIPTower(**TINY_CLIP)
    maps = tower(torch.rand(1, 3, 96, 130))
    assert list(maps) == ['layer1', 'layer2', 'layer3', 'layer4']
    assert [tuple(m.shape[1:]) for m in maps.values()] == [
        (64, 24, 32),
        (128, 12, 16),
        (256, 6, 8),
        (512, 3, 4),
    ]
    assert tower.out_channels == [64, 128, 256, 512]
    assert tower.out_strides == [4, 8, 16, 32]


@pytest.mark.parametrize(
    ('size', 'expected'),
    [
        ((224, 672), [(56, 168), (28, 84), (14, 42), (7, 21)]),
        ((224, 392), [(56, 98), (28, 49), (14, 24), (7, 12)]),
    ],
)
def test_map_sizes_of_the_release(size, expected):
    maps = CLIPTower(**TINY_CLIP)(torch.rand(1, 3, *size))
    assert [tuple(m.shape[-2:]) for m in maps.values()] == expected


def test_text_tower_is_not_a_parameter_and_detached_once():
    tower = CLIPTower(**TINY_CLIP)
    assert all(name.startswith('visual.') for name in tower.state_dict())
    assert tower.detach_text_tower().width == 32
    with pytest.raises(RuntimeError, match='before'):
        tower.detach_text_tower()


def vit_cfg(**vision):
    cfg = copy.deepcopy(TINY_CLIP['model_cfg'])
    cfg['vision_cfg'] = vision
    return cfg


@pytest.mark.parametrize(
    'vision',
    [
        dict(layers=4, width=32, head_width=16, patch_size=8, image_size=(32, 64)),
        dict(timm_model_name='test_vit', image_size=(64, 128), timm_pool='avg'),
    ],
    ids=['open_clip', 'timm'],
)
def test_vision_transformers_resize_any_image(vision):
    tower = CLIPTower(model_cfg=vit_cfg(**vision), num_taps=2)
    maps = list(tower(torch.rand(2, 3, 50, 90)).values())
    size = [side // tower.out_strides[0] for side in vision['image_size']]
    assert [list(m.shape[1:]) for m in maps] == [[c, *size] for c in tower.out_channels]


def test_unknown_model():
    with pytest.raises(ValueError, match='RN51'):
        CLIPTower(name='RN51')


def test_a_tag_with_a_custom_model_is_an_error():
    with pytest.raises(ValueError, match='openai'):
        CLIPTower(pretrained='openai', **TINY_CLIP)


def test_weights_from_a_local_file(tmp_path):
    model = build_clip('', None, TINY_CLIP['model_cfg'])
    path = tmp_path / 'clip.pth'
    torch.save(model.state_dict(), path)
    loaded = CLIPTower(pretrained=str(path), **TINY_CLIP)
    assert torch.equal(loaded.visual.conv1.weight, model.visual.conv1.weight)
    assert torch.equal(loaded.detach_text_tower().text_projection, model.text_projection)


def test_a_mismatched_file_names_the_keys(tmp_path):
    weights = build_clip('', None, TINY_CLIP['model_cfg']).state_dict()
    del weights['visual.layer4.0.conv2.weight']
    torch.save(weights, tmp_path / 'clip.pth')
    with pytest.raises(CheckpointMismatchError, match='visual.layer4.0.conv2.weight'):
        CLIPTower(pretrained=str(tmp_path / 'clip.pth'), **TINY_CLIP)


@pytest.mark.parametrize(
    'vision',
    [
        TINY_CLIP['model_cfg']['vision_cfg'],
        dict(layers=4, width=32, head_width=16, patch_size=8, image_size=32),
        dict(timm_model_name='test_vit', image_size=64, timm_pool='avg', timm_proj='linear'),
    ],
    ids=['resnet', 'vit', 'timm'],
)
def test_no_parameter_is_unused(vision):
    """Distributed training stops at parameters that get no gradient."""
    tower = CLIPTower(model_cfg=vit_cfg(**vision), num_taps=2)
    sum(m.square().sum() for m in tower(torch.rand(2, 3, 64, 64)).values()).backward()
    assert {name for name, p in tower.named_parameters() if p.grad is None} == set()
