"""A tower stopped at a stage and continued is the whole tower."""

import pytest
import torch
from mmengine.registry import MODELS

from tests.depth.encoders.tiny import TINY_HYBRID

ENCODERS = [
    dict(type='ResNetDepthEncoder', depth=18),
    dict(type='TimmDepthEncoder', name='test_resnet'),
    dict(type='TimmDepthEncoder', name='test_convnext', out_indices=(0, 2)),
    TINY_HYBRID,
    dict(TINY_HYBRID, dino=None, text=None),
]


@pytest.mark.parametrize('cfg', ENCODERS, ids=lambda cfg: cfg.get('name', cfg['type']))
@torch.no_grad()
def test_halves_make_the_whole(cfg):
    torch.manual_seed(0)
    encoder, images = MODELS.build(cfg).eval(), torch.rand(2, 3, 64, 96)
    chain, whole = encoder.chain(), encoder(images)
    for last in range(len(chain.stages) - 1):
        maps = chain.begin(images, last)
        assert [m.shape[1] for m in maps] == list(chain.channels[: last + 1])
        assert [64 // m.shape[2] for m in maps] == list(chain.strides[: last + 1])
        found = encoder.gather(images, maps + chain.finish(maps[-1], last))
        for ours, theirs in zip(found.joined(), whole.joined(), strict=True):
            assert torch.equal(ours, theirs)
    assert chain.index(chain.strides[0]) == 0


def test_encoders_without_a_chain():
    vit = dict(type='TimmDepthEncoder', name='test_vit', dynamic_img_size=True)
    for cfg in (vit, dict(TINY_HYBRID, clip=None, text=None)):
        with pytest.raises(TypeError, match='expected an encoder with a chain'):
            MODELS.build(cfg).chain()
