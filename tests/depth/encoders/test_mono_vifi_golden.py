"""The official depth networks of Mono-ViFI (docs/reference/golden.md, "Mono-ViFI")."""

import functools

import pytest
import torch
from mmengine.registry import MODELS

from hybrid_depth.depth.encoders.flow_fusion import Alignment, FlowFusion, align, embed_flow
from hybrid_depth.depth.estimators.base import build_decoder
from tests.golden import recipe
from tests.golden.mono_vifi import flow, frames, image, load, sizes
from tests.golden.reader import Golden

NETS = dict(
    ResNet18=(dict(type='ResNetDepthEncoder'), dict(type='Monodepth2Decoder', scales=(0,))),
    DHRNet=(dict(type='DHRNetEncoder'), dict(type='DHRNetDecoder')),
    LiteMono=(dict(type='LiteMonoEncoder', drop_path=0.0), dict(type='LiteMonoDecoder')),
    ResNet50=(
        dict(type='ResNetDepthEncoder', depth=50),
        dict(type='Monodepth2Decoder', scales=(0,)),
    ),
)
FILES = {name: Golden(f'mono_vifi_depth_{name.lower()}') for name in list(NETS)[:3]}
OTHER, RULES = Golden('mono_vifi_depth_other'), Golden('mono_vifi_rules')
SIZE, SMALL = sizes(OTHER)
HIGH = (1, 320, 1024)
LIMIT, TRAIN_LIMIT = 1e-4, 1e-3


@functools.cache
def build(name):
    """Encoder, decoder and fusion with the recipe's weights, in evaluation mode."""
    encoder = MODELS.build(NETS[name][0])
    decoder = build_decoder(NETS[name][1], encoder)
    fusion = load(FlowFusion(encoder.out_channels), f'{name}.fusion_module')
    return load(encoder, f'{name}.encoder'), load(decoder, f'{name}.depth'), fusion


@pytest.mark.parametrize('name', FILES)
def test_official_keys(name):
    official, modules = recipe.shapes('mono_vifi_keys')[name], build(name)
    for part, module in zip(('encoder', 'depth', 'fusion_module'), modules, strict=True):
        expected = {k: s for k, s in official[part].items() if not k.startswith('encoder.fc')}
        found = {key: list(value.shape) for key, value in module.state_dict().items()}
        assert found == expected


@pytest.mark.parametrize('name', FILES)
@torch.no_grad()
def test_single_frame(name):
    golden, (encoder, decoder, _) = FILES[name], build(name)
    features = encoder(frames('frames', SIZE)[0])
    for level, feature in enumerate(features.maps):
        golden.check(f'feat{level}', feature, LIMIT)
    golden.check('disp0', decoder(features, SIZE[1:])[0], LIMIT)


@pytest.mark.parametrize('name', FILES)
@torch.no_grad()
def test_fusion(name):
    golden, (encoder, decoder, fusion) = FILES[name], build(name)
    features = {i: encoder(x) for i, x in frames('frames', SIZE).items()}
    mask = image('mask', (SIZE[0], 3, *SIZE[1:]))[:, :1]
    alignment = Alignment(flow('flow.n1', SIZE), flow('flow.p1', SIZE), mask)
    for level, feature in enumerate(features[-1].maps):
        warped, embedding = align(feature, alignment.flow_previous).split([feature.shape[1], 42], 1)
        golden.check(f'warped{level}', warped, LIMIT)
        golden.check(f'embedding{level}', embedding, LIMIT)
    fused = fusion(features[-1], features[0], features[1], alignment)
    for level, feature in enumerate(fused.maps):
        golden.check(f'fused{level}', feature, LIMIT)
    golden.check('disp0_fused', decoder(fused, SIZE[1:])[0], LIMIT)


@pytest.mark.parametrize('name', FILES)
@torch.no_grad()
def test_training_mode(name):
    encoder = load(MODELS.build(NETS[name][0]), f'{name}.encoder').train()
    last = encoder(frames('frames', SIZE)[0]).maps[-1]
    FILES[name].check('train.feat_last', last, TRAIN_LIMIT)


@torch.no_grad()
def test_other_sizes():
    encoder = MODELS.build(dict(NETS['LiteMono'][0], dilations='high'))
    features = load(encoder, 'LiteMono.encoder')(frames('high', HIGH, (0,))[0])
    OTHER.check('LiteMono.320x1024.feat2', features.maps[2], LIMIT)
    disparity = build('LiteMono')[1](features, HIGH[1:])[0]
    OTHER.check('LiteMono.320x1024.disp0', disparity, LIMIT)
    encoder, decoder, _ = build('ResNet50')
    features = encoder(frames('small', SMALL, (0,))[0])
    OTHER.check('ResNet50.feat4', features.maps[4], LIMIT)
    OTHER.check('ResNet50.disp0', decoder(features, SMALL[1:])[0], LIMIT)


def test_embedding():
    RULES.check('embedding', embed_flow(flow('embed', (1, 6, 10))), LIMIT)
