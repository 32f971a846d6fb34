"""Parity of the full-size hybrid encoder (docs/reference/golden.md, "Hybrid-depth")."""

import numpy as np
import pytest
import torch

from hybrid_depth.foundation.position_embedding import resize_position_embedding
from tests.golden.reader import Golden
from tests.releases.official_encoder import official_encoder, official_images, official_shapes

ENCODER, DECODER = Golden('hybrid_depth_encoder'), Golden('hybrid_depth_decoder')
LIMIT = 1e-5
TEXT_LIMIT = 2e-5
HEAD_INPUT_LIMIT = 3e-5


@pytest.fixture(scope='module')
def encoder():
    return official_encoder()


@pytest.fixture(scope='module')
def images():
    return official_images()


def test_position_embedding(encoder):
    grid = encoder.dino.vit.pos_embed[:, 1:].detach().unflatten(1, (37, 37))
    # factors in float64 are off by 3e-6
    ENCODER.check('position', resize_position_embedding(grid, (16, 48)), 1e-6)


@torch.no_grad()
def test_towers(encoder, images):
    ENCODER.check('input', images, 0)
    maps, class_tokens = encoder.dino(images)
    for i, (feature, token) in enumerate(zip(maps, class_tokens, strict=True)):
        ENCODER.check(f'dino{i}', feature, LIMIT)
        ENCODER.check(f'dino_cls{i}', token, LIMIT)
    for name, feature in encoder.clip(images).items():
        ENCODER.check(f'clip_{name}', feature, LIMIT)


@torch.no_grad()
def test_fused_maps_and_head_input(encoder, images):
    features = encoder(images)
    ENCODER.check('dino_cls_out', features.class_token, LIMIT)
    for i, (fused, joined) in enumerate(zip(features.maps, features.joined(), strict=True)):
        ENCODER.check(f'fused{i}', fused, LIMIT)
        DECODER.check(f'head_input{i}', joined, HEAD_INPUT_LIMIT)


def test_text_matrix(encoder):
    # The release keeps the transposed matrix divided by its Frobenius norm, sqrt(256).
    ENCODER.check('text', encoder.language.text_matrix().T / 16, TEXT_LIMIT)
    # Its text tower on eight positions, as here, instead of 77.
    assert ENCODER['text.context8_max_abs_diff'] <= TEXT_LIMIT * ENCODER.layout('text').stats[2]


def test_parameter_counts(encoder):
    """docs/reference/hybrid_depth.md, "Stage 2 training", without flagged but unused tensors."""
    shapes = official_shapes('stage2/encoder.pth')
    unused = sum(int(np.prod(s)) for k, s in shapes.items() if 'attnpool' in k or 'scale' in k)
    mask_token = 768
    parameters = list(encoder.parameters())
    trained = [p for p in parameters if p.requires_grad]
    assert sum(p.numel() for p in parameters) == 189_636_961 - unused - mask_token
    assert sum(p.numel() for p in trained) == 72_317_281 - unused
