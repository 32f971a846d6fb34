"""The released DPT head on the full-size maps (docs/reference/golden.md, "Hybrid-depth")."""

import pytest
import torch

from hybrid_depth.depth.decoders import DPTDecoder
from hybrid_depth.releases.dpt_keys import convert_decoder_keys
from tests.golden.reader import Golden
from tests.releases.official_encoder import official_encoder, official_images, official_weights

GOLDEN = Golden('hybrid_depth_decoder')
LIMIT = 3e-5


@pytest.fixture(scope='module')
def decoder():
    official = official_weights('stage2/depth.pth')
    official['depth_head.scratch.output_conv2.2.bias'].fill_(float(GOLDEN['head_bias']))
    decoder = DPTDecoder(1280).eval()
    converted, dropped = convert_decoder_keys(official)
    decoder.load_state_dict(converted)
    assert len(official) == 66 and len(converted) + len(dropped) == 66
    return decoder


def test_parameter_count(decoder):
    dead = 1024 * 512 + 1024 + 2 * (256 * 256 * 9 + 256)
    assert sum(p.numel() for p in decoder.parameters()) == 32_193_217 - dead


@torch.no_grad()
def test_every_stage_and_the_disparity(decoder):
    stages = {'output_conv1': decoder.neck, 'before_relu': decoder.head}
    for i in range(4):
        stages[f'layer{i + 1}_rn'] = decoder.reduces[i]
        stages[f'refinenet{i + 1}'] = decoder.fusions[i]
    seen = {}
    for name, module in stages.items():
        module.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    disparity = decoder(official_encoder()(official_images()), (224, 672))[0]
    for name, output in seen.items():
        GOLDEN.check(name, output, LIMIT)
    GOLDEN.check('disp', disparity, LIMIT)
    scaled = 0.01 + 9.99 * disparity
    GOLDEN.check('scaled_disp', scaled, LIMIT)
    GOLDEN.check(
        'depth', 1 / scaled, LIMIT, scaled.max() / scaled**2
    )  # by the error of the disparity
    assert len(seen) == len(stages)
