import pytest
import torch
from mmengine.registry import MODELS

from hybrid_depth.foundation import build_clip
from hybrid_depth.foundation.clip import encode_texts, text_tokenizer
from tests.depth.encoders.tiny import TINY_CLIP

CLIP = dict(type='CLIPDepthEncoder', **TINY_CLIP)
WORDS = ('giant', 'extremely close', 'close', 'not in distance', 'a little remote', 'far', 'unseen')
BINS = torch.tensor([1.0, 1.5, 2.0, 2.25, 2.5, 2.75, 3.0])


def build(**kwargs):
    torch.manual_seed(0)
    return MODELS.build(dict(dict(type='DepthCLIP', encoder=CLIP), **kwargs)).eval()


def test_depth_by_hand():
    """Published bins and prompts; every k-th channel of the last map; flip average."""
    model, images = build(), torch.rand(2, 3, 64, 96)
    torch.manual_seed(0)
    clip = build_clip('', None, TINY_CLIP['model_cfg']).eval()
    tokens = text_tokenizer('', TINY_CLIP['model_cfg'])([f'This object is {w}' for w in WORDS])
    with torch.no_grad():
        text = clip.encode_text(tokens)

        def cells(images):
            last = list(model.encoder.clip(images).values())[-1]
            step = last.shape[1] // text.shape[1]
            assert step > 1
            depth = torch.zeros(2, 1, *last.shape[-2:])
            for b in range(2):
                for y in range(last.shape[2]):
                    for x in range(last.shape[3]):
                        cosine = torch.cosine_similarity(last[b, ::step, y, x][None], text)
                        depth[b, 0, y, x] = (torch.softmax(100 * cosine / 0.1, 0) * BINS).sum()
            return depth

        expected = (cells(images) + cells(images.flip(-1)).flip(-1)) / 2
        size = dict(size=(64, 96), mode='bilinear', align_corners=False)
        expected = torch.nn.functional.interpolate(expected, **size)
        found = model.predict({0: images})
    assert found.kind == 'metric' and torch.allclose(found.values, expected, atol=1e-3)
    single = build(mirror=False)
    assert not torch.allclose(single.predict({0: images}).values, expected, atol=1e-3)


def test_sentence_features_are_of_the_tower():
    clip = build_clip('', None, TINY_CLIP['model_cfg']).eval()
    tokenize = text_tokenizer('', TINY_CLIP['model_cfg'])
    found = encode_texts(clip, tokenize, ['near'] * 63 + ['far', 'near'])
    with torch.no_grad():
        single = torch.nn.functional.normalize(clip.encode_text(tokenize(['far'])), dim=-1)
    assert torch.allclose(found[63], single[0], atol=1e-5)
    assert torch.allclose(found[64], found[0], atol=1e-5) and found.shape == (65, 64)


def test_the_text_tower_is_freed():
    model = build()
    names = {name.split('.')[0] for name, _ in model.named_parameters()}
    assert names == {'encoder'} and 'text' in model.state_dict()
    assert not any('token_embedding' in name for name in model.state_dict())
    with pytest.raises(RuntimeError, match='dropped'):
        model.encoder.clip.sentence_features(['x'])


def test_a_transformer_tower():
    cfg = dict(TINY_CLIP['model_cfg'], vision_cfg=dict(
        layers=2, width=64, head_width=32, patch_size=16, image_size=64))  # fmt: skip
    model = build(encoder=dict(CLIP, model_cfg=cfg, num_taps=2))
    depth = model.predict({0: torch.rand(1, 3, 48, 80)}).values
    assert depth.shape == (1, 1, 48, 80) and depth.min() >= 1 and depth.max() <= 3


@pytest.mark.parametrize('bins', [(1.0, 2.0), (0.0, *range(1, 7))])
def test_bins_that_do_not_fit(bins):
    with pytest.raises(ValueError, match='one bin above 0 m for each of 7 words'):
        build(bins=bins)


def test_it_has_no_training():
    with pytest.raises(NotImplementedError):
        build()(dict(images={0: torch.rand(1, 3, 64, 64)}), None, 'loss')
